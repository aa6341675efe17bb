import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** Redis is away, and is not asked until it is back. */
@ErrorSpec({
  code: 'INFRA_REDIS_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'Redis is away, or the connection was lost before it answered.',
})
export class RedisUnavailableError extends InfraError {
  constructor(
    readonly connection: string,
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `${connection} is away: ${reason.replace(/\.$/, '')}.`,
      'Look at /health/redis; commands go through again once it answers.',
      options,
    );
  }
}

/** A command was not answered within its time. It may have been executed, or be executed yet. */
@ErrorSpec({
  code: 'INFRA_REDIS_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A command was not answered within commandTimeoutMs; it may have been executed all the same.',
})
export class RedisTimeoutError extends InfraError {
  constructor(
    readonly connection: string,
    readonly command: string,
    readonly timeoutMs: number,
    options: { cause?: unknown } = {},
  ) {
    super(
      `${connection} did not answer ${command.toUpperCase()} within ${timeoutMs} ms.`,
      'Look at the server (SLOWLOG GET, INFO) and the network, or raise commandTimeoutMs. The command may have been executed.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_REDIS_LOGIN', summary: 'Redis refuses the user or the password, or wants one.' })
export class RedisLoginError extends InfraError {
  constructor(address: string, reason: string, options: { cause?: unknown } = {}) {
    super(
      `Redis at ${address} refuses the login: ${reason}.`,
      'Correct the user and the password of the connection (REDIS_USER, REDIS_PASSWORD), or the ACL on the server.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_REDIS_TLS', summary: 'The TLS settings of a connection and its server do not fit.' })
export class RedisTlsError extends InfraError {}

@ErrorSpec({ code: 'INFRA_REDIS_TLS_FILE', summary: 'A certificate or key of the configuration cannot be read.' })
export class RedisTlsFileError extends InfraError {
  constructor(
    readonly field: string,
    readonly path: string | undefined,
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? 'unreadable';
    super(
      `The file ${path ? `"${path}" ` : ''}that redis.tls.${field} names cannot be read (${reason}).`,
      'Correct the path or its permissions, or give the PEM text itself.',
      { cause: path ? cause : undefined },
    );
  }
}

@ErrorSpec({ code: 'INFRA_REDIS_DATABASE', summary: 'The server has no database of that number.' })
export class RedisDatabaseError extends InfraError {
  constructor(address: string, db: number, options: { cause?: unknown } = {}) {
    super(
      `Redis at ${address} has no database ${db}.`,
      'Choose a lower number (REDIS_DB), or raise `databases` in redis.conf.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_REDIS_TOPOLOGY', summary: 'The driver and the kind of server do not fit.' })
export class RedisTopologyError extends InfraError {
  constructor(address: string, found: string, driver: string, fitting: string, options: { cause?: unknown } = {}) {
    super(
      `Redis at ${address} is ${found}, and the connection’s driver is "${driver}".`,
      `Set the driver to "${fitting}" (REDIS_DRIVER), or correct the address.`,
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_REDIS_INSECURE',
  summary: 'requireSecure is set, and a connection has no password or no TLS.',
})
export class InsecureRedisError extends InfraError {
  constructor(connection: string, address: string, missing: string) {
    super(
      `${connection} goes to ${address} ${missing}.`,
      'Set a password and TLS (rediss://, or redis.tls.enabled), or requireSecure: false where the network is trusted.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_REDIS_WRONG_CLIENT',
  summary: 'Redis or Cluster is injected and the driver opens the other.',
})
export class WrongRedisClientError extends InfraError {
  constructor(wanted: string, driver: string) {
    super(
      `${wanted} of ioredis is injected, and the connection’s driver is "${driver}", which does not open one.`,
      'Inject RedisClient, which every driver provides; or set the driver that fits (REDIS_DRIVER).',
    );
  }
}

@ErrorSpec({ code: 'INFRA_REDIS_COMMAND_LINE', summary: 'A redis command was given something that it cannot use.' })
export class RedisCommandLineError extends InfraError {}

@ErrorSpec({
  code: 'INFRA_REDIS_FOREIGN_CLIENT',
  summary: 'A Redis client is used here that RedisModule did not open.',
})
export class ForeignRedisClientError extends InfraError {
  constructor() {
    super(
      'This client was not opened by RedisModule.',
      'Inject RedisClient, or a view of it from RedisModule.forFeature.',
    );
  }
}
