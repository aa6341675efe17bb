import { Client, type ClientConfig, type QueryConfig, Query, type QueryResult } from 'pg';
import { TransactionAbortedError } from '../transactions/errors.js';
import { type CancellableClient, requestCancel } from './cancel.js';
import { boundOf, type QueryBound } from './query-bound.js';
import type { QuerySite } from './query-site.js';
import { maskedParameters, maskedSql, operationOf, tableOf } from './sql-text.js';

type Callback = (error: Error | null, result?: QueryResult) => void;

/** The client's queue, which its public types leave out. */
interface Queue {
  readonly _queryQueue: unknown[];
}

/** How long a cancelled statement may take to end before its connection is cut, in milliseconds. */
const cancelGraceMs = 2_000;

/** A pg client whose statements are bounded by the request's deadline, logged when slow, and reported on `infra:database`. */
export function watchedClient(site: QuerySite): new (options?: ClientConfig) => Client {
  const plain = Client.prototype.query as (this: Client, ...args: unknown[]) => unknown;

  class WatchedClient extends Client {
    override query = ((
      config: string | QueryConfig | { submit: unknown },
      second?: unknown,
      third?: unknown,
    ): unknown => {
      const bound = boundOf(site.context.current, site.clock.now);
      const { slowQueryMs, echo } = site.config;
      const traced = site.operations.hasSubscribers;
      const isSubmittable = typeof config === 'object' && 'submit' in config;
      const unwatched = !bound && !traced && !echo && slowQueryMs === 0;
      if (isSubmittable || (unwatched && config !== 'COMMIT')) return plain.call(this, config, second, third);

      const callback = [second, third].find(argument => typeof argument === 'function') as Callback | undefined;
      const values = Array.isArray(second) ? (second as unknown[]) : (config as QueryConfig).values;
      const text = typeof config === 'string' ? config : config.text;
      const result = this.watch(text, values, bound, () =>
        this.submit(text, config as string | QueryConfig, values, bound),
      );
      if (!callback) return result;
      result.then(
        found => process.nextTick(callback, null, found),
        (error: Error) => process.nextTick(callback, error),
      );
      return undefined;
    }) as Client['query'];

    /** Reports and logs around a statement. */
    private watch(
      text: string,
      values: unknown[] | undefined,
      bound: QueryBound | undefined,
      run: () => Promise<QueryResult>,
    ): Promise<QueryResult> {
      const began = site.clock.monotonic();
      const { echo } = site.config;
      if (echo) site.logger.debug({ msg: maskedSql(text), parameters: maskedParameters(values) });
      const result = site.operations.hasSubscribers
        ? site.operations.tracePromise(run, {
            component: 'database',
            connection: site.id,
            operation: operationOf(text),
            resource: tableOf(text),
          })
        : run();
      const ended = () => {
        const { slowQueryMs } = site.config;
        const durationMs = site.clock.monotonic() - began;
        if (slowQueryMs === 0 || durationMs < slowQueryMs) return;
        site.logger.warn({
          msg: `Slow statement: ${Math.round(durationMs)} ms`,
          sql: maskedSql(text),
          parameters: maskedParameters(values),
          durationMs: Math.round(durationMs),
          thresholdMs: slowQueryMs,
        });
      };
      result.then(ended, ended);
      return result;
    }

    /** Runs a statement, and cancels it on the server when the request stops waiting for it. */
    private submit(
      text: string,
      config: string | QueryConfig,
      values: unknown[] | undefined,
      bound: QueryBound | undefined,
    ): Promise<QueryResult> {
      const run = () => plain.call(this, config, values) as Promise<QueryResult>;
      const operation = bound && operationOf(text);
      // A transaction must be left cleanly, whether or not somebody still waits.
      if (operation === 'ROLLBACK') return run();
      if (bound?.over) return Promise.reject(bound.error(site.id, 'before a statement was begun'));
      // Nobody could tell what became of a commit that was cut off.
      if (text === 'COMMIT') return run().then(assertCommitted);
      if (!bound) return run();
      return new Promise((resolve, reject) => {
        let cancelled: Promise<void> | undefined;
        let cut: NodeJS.Timeout | undefined;
        const query = new Query(config as string, values as unknown[], (error, result) => {
          stop();
          clearTimeout(cut);
          const settle = () => {
            if (!error) resolve(result as unknown as QueryResult);
            else reject(cancelled ? bound.error(site.id, 'while a statement ran', error) : error);
          };
          // The connection is not given back before the server has dealt with the request, which could hit the next statement.
          if (cancelled) void cancelled.then(settle);
          else settle();
        });
        const stop = bound.onOver(() => {
          stop();
          const client = this as unknown as CancellableClient & Queue;
          const queued = client._queryQueue.indexOf(query);
          if (queued >= 0) {
            client._queryQueue.splice(queued, 1);
            reject(bound.error(site.id, 'while a statement waited for another one of its transaction'));
            return;
          }
          cancelled = requestCancel(client);
          cut = setTimeout(
            () => client.connection.stream.destroy(new Error('The server did not answer a request to cancel.')),
            cancelGraceMs,
          );
        });
        plain.call(this, query);
      });
    }
  }
  return WatchedClient;

  /** The server answers the COMMIT of a transaction that has failed with a rollback, and no error. */
  function assertCommitted(result: QueryResult): QueryResult {
    if (result.command === 'ROLLBACK') throw new TransactionAbortedError(site.id);
    return result;
  }
}
