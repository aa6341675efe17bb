import { Pool, type PoolClient, type PoolConfig } from 'pg';
import { DatabaseConnectTimeoutError, PoolExhaustedError, type PoolStats } from '../errors.js';
import { boundOf } from '../query/query-bound.js';
import { bindingClient } from '../query/channel-binding.js';
import type { QuerySite } from '../query/query-site.js';
import { watchedClient } from '../query/watched-client.js';

type ConnectCallback = (
  error: Error | undefined,
  client: PoolClient | undefined,
  done: (release?: unknown) => void,
) => void;

const nothing = () => undefined;

/** A pool that says why nothing is free, and who holds what for too long. */
export class WatchedPool extends Pool {
  private readonly held = new Map<PoolClient, NodeJS.Timeout | undefined>();

  constructor(
    options: PoolConfig,
    private readonly site: QuerySite,
  ) {
    const Client = watchedClient(site);
    const mustBind = site.config.channelBinding === 'require';
    super({ ...options, Client: (mustBind ? bindingClient(Client, site.id) : Client) as never });
    // A client that breaks while it is out has its query rejected; without a listener the event would end the process.
    this.on('connect', client => (client as PoolClient).on('error', nothing));
    this.on('release', (_error: Error, client: PoolClient) => this.letGo(client));
    this.on('error', (error: Error) =>
      site.logger.warn(`An idle connection broke and is replaced when needed: ${error.message}`),
    );
  }

  get stats(): PoolStats {
    return {
      active: this.totalCount - this.idleCount,
      idle: this.idleCount,
      waiting: this.waitingCount,
      max: this.site.config.pool.max,
    };
  }

  /** Opens `pool.min` connections. */
  async warmUp(): Promise<void> {
    const clients = await Promise.all(Array.from({ length: this.options.min ?? 0 }, () => this.connect()));
    for (const client of clients) client.release();
  }

  /** Resolves when every connection was given back. */
  async idle(signal: AbortSignal): Promise<void> {
    while (this.held.size > 0 && !signal.aborted) {
      await new Promise<void>(resolve => {
        this.once('release', () => resolve());
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
  }

  /** Cuts connections that were not given back, so that the pool can end. */
  cut(): number {
    for (const client of this.held.keys())
      (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    return this.held.size;
  }

  override connect(): Promise<PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<PoolClient> | void {
    if (!callback)
      return new Promise((resolve, reject) =>
        this.connect((error, client) => (client ? resolve(client) : reject(error!))),
      );
    const { site } = this;
    const bound = boundOf(site.context.current, site.clock.now);
    if (bound?.over) return callback(bound.error(site.id, 'before a connection was taken'), undefined, nothing);
    const place = site.config.clientHeldWarningMs > 0 ? placeOfCall() : undefined;
    let gone = false;
    const stop = bound?.onOver(() => {
      stop?.();
      gone = true;
      callback(bound.error(site.id, 'while waiting for a connection'), undefined, nothing);
    });
    super.connect((error, client, done) => {
      stop?.();
      if (gone) return done();
      if (!client) return callback(this.explain(error!), undefined, done);
      this.hold(client, place);
      callback(undefined, client, done);
    });
  }

  /** pg-pool knows these two cases by their message only. */
  private explain(error: Error): Error {
    const { id, section, config } = this.site;
    const { acquireTimeoutMs } = config.pool;
    if (error.message === 'timeout exceeded when trying to connect')
      return new PoolExhaustedError(id, this.stats, acquireTimeoutMs, section, { cause: error });
    if (error.message === 'Connection terminated due to connection timeout')
      return new DatabaseConnectTimeoutError(id, acquireTimeoutMs, section, { cause: error });
    return error;
  }

  private hold(client: PoolClient, place: { stack?: string } | undefined): void {
    const { clientHeldWarningMs } = this.site.config;
    const timer =
      place &&
      setTimeout(() => {
        const taken = place.stack?.split('\n').slice(1).filter(isForeign).slice(0, 8) ?? [];
        this.site.logger.warn({
          msg: `A connection is out of the pool for more than ${clientHeldWarningMs} ms. It was taken at:\n${taken.join('\n')}`,
          ...this.stats,
        });
      }, clientHeldWarningMs).unref();
    this.held.set(client, timer);
  }

  private letGo(client: PoolClient): void {
    clearTimeout(this.held.get(client));
    this.held.delete(client);
  }
}

/** A stack that is put into words only when it is asked for. */
function placeOfCall(): { stack?: string } {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  const place = {};
  Error.captureStackTrace(place, placeOfCall);
  Error.stackTraceLimit = limit;
  return place;
}

/** The frames of the app: what pools, TypeORM and Node do on the way says nothing of the place. */
function isForeign(line: string): boolean {
  return !/node_modules[\\/](typeorm|pg|pg-pool|@nestjs[\\/]|@nestjs-cls|nestjs-cls)|node:|watched-pool|[\\/]orm[\\/]shared-/.test(
    line,
  );
}
