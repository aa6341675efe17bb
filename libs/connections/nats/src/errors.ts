import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** NATS is away. */
@ErrorSpec({
  code: 'INFRA_NATS_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'NATS is away, or the connection was lost before it answered.',
})
export class NatsUnavailableError extends InfraError {
  constructor(
    readonly connection: string,
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `${connection} is away: ${reason.replace(/\.$/, '')}.`,
      'Look at /health/nats; it is connected again by itself once it answers.',
      options,
    );
  }
}

/** The server did not answer in time. */
@ErrorSpec({
  code: 'INFRA_NATS_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'NATS did not acknowledge a message, or answer, in time; it may have done it all the same.',
})
export class NatsTimeoutError extends InfraError {
  constructor(
    readonly connection: string,
    readonly what: string,
    readonly timeoutMs: number,
    why = '',
    options: { cause?: unknown } = {},
  ) {
    super(
      `${connection} did not ${what} within ${timeoutMs} ms${why && `: ${why}`}.`,
      'Look at the server and the network, or raise deliveryTimeoutMs (messages) or commandTimeoutMs. It may have been done all the same.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_NATS_LOGIN', summary: 'NATS refuses the login, or wants one.' })
export class NatsLoginError extends InfraError {
  constructor(address: string, way: string, options: { cause?: unknown } = {}) {
    super(
      `NATS at ${address} refuses the login ${way}.`,
      'Correct what the app logs in with: NATS_USER and NATS_PASSWORD, NATS_TOKEN, NATS_CREDENTIALS or NATS_NKEY_SEED, one of them.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_NATS_CREDENTIALS', summary: 'Credentials or a seed of the configuration cannot be used.' })
export class NatsCredentialsError extends InfraError {
  constructor(field: string, reason: string) {
    super(
      `What nats.${field} says cannot be used: ${reason}.`,
      field === 'nkeySeed'
        ? 'Give the seed of a user (it begins with SU), or the path of a file with it.'
        : 'Give the text of a file that nsc wrote (nsc generate creds), or its path.',
    );
  }
}

@ErrorSpec({ code: 'INFRA_NATS_TLS', summary: 'The TLS settings of a connection and its server do not fit.' })
export class NatsTlsError extends InfraError {}

@ErrorSpec({ code: 'INFRA_NATS_TLS_FILE', summary: 'A certificate or key of the configuration cannot be read.' })
export class NatsTlsFileError extends InfraError {
  constructor(
    readonly field: string,
    readonly path: string | undefined,
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? 'unreadable';
    super(
      `The file ${path ? `"${path}" ` : ''}that nats.tls.${field} names cannot be read (${reason}).`,
      'Correct the path or its permissions, or give the PEM text itself.',
      { cause: path ? cause : undefined },
    );
  }
}

@ErrorSpec({ code: 'INFRA_NATS_MISSING', summary: 'A stream or a consumer is used that does not exist.' })
export class NatsMissingError extends InfraError {
  constructor(
    readonly kind: 'stream' | 'consumer',
    readonly resource: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `There is no ${kind} ${resource}.`,
      'Declare it with topology(), or correct its name or the account.',
      options,
    );
  }
}

/** No stream keeps the subject. */
@ErrorSpec({
  code: 'INFRA_NATS_NO_STREAM',
  summary: 'A message was published to a subject that no stream keeps, or JetStream is off.',
})
export class NatsNoStreamError extends InfraError {
  constructor(
    readonly subject: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `No stream keeps messages of the subject ${subject}, or JetStream is off for this account.`,
      'Declare a stream with that subject with topology(), or turn JetStream on (nats-server -js, or jetstream in the account).',
      options,
    );
  }
}

/** Nobody listens on the subject of a request. */
@ErrorSpec({
  code: 'INFRA_NATS_NO_RESPONDERS',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A request was sent to a subject that nobody listens on.',
})
export class NatsNoRespondersError extends InfraError {
  constructor(
    readonly subject: string,
    options: { cause?: unknown } = {},
  ) {
    super(`Nobody answers requests on the subject ${subject}.`, 'Start who answers, or correct the subject.', options);
  }
}

@ErrorSpec({ code: 'INFRA_NATS_PERMISSION', summary: 'The account may not publish to, or subscribe to, a subject.' })
export class NatsPermissionError extends InfraError {
  constructor(
    readonly operation: 'publish' | 'subscription',
    readonly subject: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `The account may not ${operation === 'publish' ? 'publish' : 'subscribe'} to ${subject}.`,
      subject.startsWith('$JS')
        ? 'Permit it to publish to $JS.API.> and $JS.ACK.>, which JetStream is asked by.'
        : operation === 'publish'
          ? 'Permit it in the server’s configuration or in the account’s JWT.'
          : 'Permit it in the server’s configuration or in the account’s JWT; answers come to nats.inboxPrefix, _INBOX.> as a rule.',
      options,
    );
  }
}

/** A stream or a consumer exists and is not as it is declared. */
@ErrorSpec({
  code: 'INFRA_NATS_TOPOLOGY',
  summary: 'A stream or a consumer exists with another configuration than is declared, or cannot be made so.',
})
export class NatsTopologyError extends InfraError {
  constructor(
    readonly kind: 'stream' | 'consumer',
    readonly resource: string,
    /** Each as `max_age: 3600 s is declared, it has 60 s`. */
    readonly differences: readonly string[],
    options: { cause?: unknown } = {},
  ) {
    super(
      `The ${kind} ${resource} is not as it is declared: ${differences.join('; ')}.`,
      `Declare it as it is, or let topology() change it (onDifference: 'update'); what cannot be changed takes a new ${kind}.`,
      options,
    );
  }
}

/** A message is larger than the server takes. */
@ErrorSpec({
  code: 'INFRA_NATS_OVERSIZE',
  status: 413,
  fault: 'client',
  summary: 'A message is larger than maxPayloadBytes or than the server takes.',
})
export class NatsOversizeError extends InfraError {
  constructor(
    readonly subject: string,
    readonly bytes: number,
    readonly maxBytes: number,
  ) {
    super(
      `A message to ${subject} has ${bytes} bytes, and ${maxBytes} are allowed.`,
      'Keep what is large elsewhere and send its address, or raise max_payload of the server (and nats.maxPayloadBytes).',
    );
  }
}

/** JetStream said no. */
@ErrorSpec({
  code: 'INFRA_NATS_REFUSED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'JetStream refused a message or a command, and says why: a stream is full, a limit is reached.',
})
export class NatsRefusedError extends InfraError {
  constructor(
    what: string,
    reason: string,
    /** JetStream's own number, e.g. 10077 for a stream that is full. */
    readonly apiCode: number | undefined,
    options: { cause?: unknown } = {},
  ) {
    super(
      `JetStream refused ${what}: ${reason.replace(/\.$/, '')}.`,
      'See the reason, and the limits of the stream.',
      options,
    );
  }
}
