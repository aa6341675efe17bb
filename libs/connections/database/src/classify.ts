import type { Classification } from '@core-infra/kernel';
import { EntityNotFoundError, OptimisticLockVersionMismatchError, QueryFailedError } from 'typeorm';

const dependency: Classification = { fault: 'dependency', retryable: true };
const client: Classification = { fault: 'client', retryable: false };
const server: Classification = { fault: 'server', retryable: false };
const again: Classification = { fault: 'server', retryable: true };

/** By the whole SQLSTATE first, then by its class (the first two characters). PostgreSQL documentation, appendix A. */
const states: Readonly<Record<string, Classification>> = {
  '08': dependency, // connection exception
  '53': dependency, // insufficient resources: too many connections, disk full, out of memory
  '57P01': dependency, // admin shutdown
  '57P02': dependency, // crash shutdown
  '57P03': dependency, // cannot connect now: starting up
  '57P05': dependency, // idle session timeout
  '25P03': dependency, // idle in transaction session timeout
  '25006': dependency, // read-only: the primary has moved
  '57014': { fault: 'dependency', retryable: false }, // query cancelled: statement timeout, or by request
  '55P03': again, // lock not available
  '40': again, // transaction rollback: serialisation failure, deadlock
  '22': client, // data exception
  '23': client, // integrity constraint violation
  P0: client, // raised by a function
  '28': server, // invalid authorisation
  '3D': server, // no such database
  '42': server, // syntax error or access rule violation
};

/** Messages of pg about a connection that broke; it gives them no code. */
const broken =
  /^(Connection terminated|Client has encountered a connection error|Connection ended unexpectedly|timeout expired)/;

/** What an error of PostgreSQL, pg or TypeORM means to its caller. */
export function classifyPostgres(error: unknown): Classification | undefined {
  if (error instanceof QueryFailedError) return classifyPostgres(error.driverError);
  if (error instanceof EntityNotFoundError || error instanceof OptimisticLockVersionMismatchError) return client;
  if (typeof error !== 'object' || error === null) return undefined;
  const { code, message } = error as { code?: unknown; message?: unknown };
  if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return states[code] ?? states[code.slice(0, 2)];
  return broken.test(String(message)) ? dependency : undefined;
}
