import { InfraError } from '@core-infra/kernel';
import type { PoolClient } from 'pg';
import { QueryFailedError, type QueryRunner } from 'typeorm';
import { placeOfCall } from '../pool/place-of-call.js';
import type { DataSourceParts } from './infra-data-source.js';

/** Adds to TypeORM's query runner what it does not do: guards about transactions, errors of ours unwrapped, and the place that keeps it. */
export function watchRunner(runner: QueryRunner, own: DataSourceParts): QueryRunner {
  const query = runner.query.bind(runner) as (...args: unknown[]) => Promise<unknown>;
  const connect = runner.connect.bind(runner) as () => Promise<PoolClient>;
  let statements = 0;
  let known = false;

  /** One statement is over before anybody wonders; what comes with a second one, or with none, may be kept. */
  const rememberPlace = () => {
    if (known) return;
    known = true;
    const place = placeOfCall();
    connect().then(
      client => own.pool()?.remember(client, place),
      () => undefined, // the statement reports it
    );
  };

  runner.connect = () => {
    // TypeORM calls it within `query` as well.
    if (statements === 0) rememberPlace();
    return connect();
  };
  runner.query = (async (...args: unknown[]) => {
    own.transactions().assertNotEnded(runner);
    statements += 1;
    if (statements > 1 || args[0] === 'START TRANSACTION') rememberPlace();
    try {
      return await query(...args);
    } catch (error) {
      // TypeORM wraps whatever the client throws; what is ours already says what happened.
      throw error instanceof QueryFailedError && error.driverError instanceof InfraError ? error.driverError : error;
    }
  }) as QueryRunner['query'];
  return runner;
}
