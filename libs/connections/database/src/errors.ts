import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** Connections of a pool, as `poolStats` counts them. */
export interface PoolStats {
  /** Taken out, in use. */
  readonly active: number;
  /** Open and free. */
  readonly idle: number;
  /** Calls that wait for one. */
  readonly waiting: number;
  /** `database.pool.max`. */
  readonly max: number;
}

@ErrorSpec({
  code: 'INFRA_DATABASE_POOL_EXHAUSTED',
  status: 503,
  fault: 'server',
  retryable: true,
  summary: 'No connection of the pool became free within pool.acquireTimeoutMs.',
})
export class PoolExhaustedError extends InfraError {
  constructor(
    readonly connection: string,
    readonly stats: PoolStats,
    readonly acquireTimeoutMs: number,
    section: string,
    options?: ErrorOptions,
  ) {
    super(
      `${connection}: no connection became free within ${acquireTimeoutMs} ms (${stats.active} active, ${stats.idle} idle, ${stats.waiting} waiting, max ${stats.max}).`,
      `Look for slow statements and for connections that are held too long; raise ${section}.pool.max, or ${section}.pool.acquireTimeoutMs.`,
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DATABASE_CONNECT_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The server did not complete a new connection within pool.acquireTimeoutMs.',
})
export class DatabaseConnectTimeoutError extends InfraError {
  constructor(
    readonly connection: string,
    readonly acquireTimeoutMs: number,
    section: string,
    options?: ErrorOptions,
  ) {
    super(
      `${connection}: the server did not complete a new connection within ${acquireTimeoutMs} ms.`,
      `Look at the server and at the way to it, or raise ${section}.pool.acquireTimeoutMs.`,
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DATABASE_DEADLINE',
  status: 504,
  fault: 'dependency',
  retryable: true,
  summary: 'The request’s deadline passed before the statement was done; it was cancelled on the server.',
})
export class QueryDeadlineError extends InfraError {
  constructor(
    readonly connection: string,
    readonly stage: string,
    options?: ErrorOptions,
  ) {
    super(
      `${connection}: the request’s deadline passed ${stage}.`,
      'Make the statement faster (an index, fewer rows), or give the request more time.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DATABASE_CANCELLED',
  status: 499,
  fault: 'client',
  summary: 'The caller hung up before the statement was done; it was cancelled on the server.',
})
export class QueryCancelledError extends InfraError {
  constructor(
    readonly connection: string,
    readonly stage: string,
    options?: ErrorOptions,
  ) {
    super(
      `${connection}: the caller hung up ${stage}.`,
      'Work that must outlive its request runs in requestContext.run({ deadline: undefined, signal: undefined }, work).',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_DATABASE_TLS_FILE', summary: 'A certificate or key of the configuration cannot be read.' })
export class TlsFileError extends InfraError {
  constructor(
    readonly field: string,
    readonly path: string | undefined,
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? 'unreadable';
    super(
      `The file ${path ? `"${path}" ` : ''}that database.${field} names cannot be read (${reason}).`,
      'Correct the path or its permissions, or give the PEM text itself.',
      { cause: path ? cause : undefined },
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DATABASE_CHANNEL_BINDING',
  summary: 'channelBinding is "require", and the server does not log in by SCRAM bound to the TLS channel.',
})
export class ChannelBindingError extends InfraError {
  constructor(readonly connection: string) {
    super(
      `${connection}: the server does not offer a login that is bound to the TLS channel, and channelBinding is "require".`,
      'Use TLS and scram-sha-256 on the server; or set channelBinding to "prefer".',
    );
  }
}
