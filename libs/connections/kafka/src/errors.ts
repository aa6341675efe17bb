import { ErrorSpec, InfraError } from '@core-infra/kernel';

interface Cause {
  cause?: unknown;
}

/** No broker answers. */
@ErrorSpec({
  code: 'INFRA_KAFKA_UNREACHABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'None of the brokers answers, or the one that is needed does not.',
})
export class KafkaUnreachableError extends InfraError {
  constructor(
    readonly address: string,
    readonly reason: string,
    options: Cause = {},
  ) {
    super(
      `Kafka at ${address} cannot be reached: ${reason.replace(/\.$/, '')}.`,
      'Correct kafka.brokers (KAFKA_BROKERS) or start the broker; if it is up, look at its advertised.listeners, which every client is sent to.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_KAFKA_AUTHENTICATION', summary: 'Kafka refuses the login, or wants another kind of it.' })
export class KafkaAuthenticationError extends InfraError {
  constructor(address: string, mechanism: string, reason: string, options: Cause = {}) {
    super(
      `Kafka at ${address} refuses the login by ${mechanism}: ${reason.replace(/\.$/, '')}.`,
      'Correct kafka.sasl.username and kafka.sasl.password (KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD), or kafka.sasl.mechanism, or the account on the broker.',
      options,
    );
  }
}

/** There is no token to log in with. */
@ErrorSpec({
  code: 'INFRA_KAFKA_TOKEN',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The endpoint of kafka.sasl.tokenEndpoint gives no token to log in with.',
})
export class KafkaTokenError extends InfraError {
  constructor(
    /** `host:port` of the endpoint. */
    readonly host: string,
    readonly reason: string,
    options: Cause = {},
  ) {
    super(
      `${host} gives no token for Kafka: ${reason}.`,
      'Correct kafka.sasl.tokenEndpoint, or client id and secret in kafka.sasl.username and kafka.sasl.password, or kafka.sasl.scopes.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_KAFKA_TLS', summary: 'The security settings of a connection and its brokers do not fit.' })
export class KafkaTlsError extends InfraError {}

@ErrorSpec({ code: 'INFRA_KAFKA_TLS_FILE', summary: 'A certificate or key of the configuration cannot be read.' })
export class KafkaTlsFileError extends InfraError {
  constructor(
    readonly field: string,
    readonly path: string | undefined,
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? 'unreadable';
    super(
      `The file ${path ? `"${path}" ` : ''}that kafka.tls.${field} names cannot be read (${reason}).`,
      'Correct the path or its permissions, or give the PEM text itself.',
      { cause: path ? cause : undefined },
    );
  }
}

@ErrorSpec({ code: 'INFRA_KAFKA_INSECURE', summary: 'requireSecure is set, and a connection has no login or no TLS.' })
export class InsecureKafkaError extends InfraError {
  constructor(connection: string, address: string, missing: string) {
    super(
      `${connection} goes to ${address} ${missing}.`,
      'Set kafka.securityProtocol to SASL_SSL with a login, or requireSecure: false where the network is trusted.',
    );
  }
}

/** The account may not do that. */
@ErrorSpec({
  code: 'INFRA_KAFKA_UNAUTHORIZED',
  summary: 'The account has no right to a topic, a group or the cluster.',
})
export class KafkaUnauthorizedError extends InfraError {
  constructor(
    readonly kind: 'topic' | 'group' | 'cluster',
    readonly resource: string,
    user: string,
    options: Cause & { /** What it lacks, if that is known. */ readonly needed?: string } = {},
  ) {
    const what = kind === 'cluster' ? 'the cluster' : `the ${kind} "${resource}"`;
    const usual = { topic: 'WRITE or READ, and DESCRIBE', group: 'READ', cluster: 'the operation' }[kind];
    const { needed = usual } = options;
    super(
      `${user} may not use ${what}.`,
      `Give the account ${needed} on it (kafka-acls.sh --add --allow-principal User:…), or correct the name.`,
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_KAFKA_UNKNOWN_TOPIC', summary: 'A topic does not exist.' })
export class KafkaUnknownTopicError extends InfraError {
  constructor(
    readonly topic: string,
    options: Cause = {},
  ) {
    super(
      `The topic "${topic}" does not exist.`,
      'Create it (admin.ensureTopics, or kafka-topics.sh --create), or correct its name; nothing is created by writing.',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_KAFKA_INVALID_TOPIC', summary: 'What is to be a topic’s name can be none.' })
export class KafkaInvalidTopicError extends InfraError {
  constructor(
    readonly topic: string,
    options: Cause = {},
  ) {
    super(
      `"${topic}" can be no topic’s name.`,
      'Name it with letters, digits, ".", "_" and "-", 249 of them at most.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_KAFKA_OVERSIZE',
  status: 413,
  fault: 'client',
  summary: 'A record is larger than maxMessageBytes, or than its topic allows.',
})
export class KafkaOversizeError extends InfraError {
  constructor(
    readonly topic: string,
    readonly bytes: number,
    readonly limit: number | undefined,
    options: Cause = {},
  ) {
    super(
      `A record of ${bytes} bytes is too large for the topic "${topic}"${limit === undefined ? '' : `: the limit is ${limit}`}.`,
      'Send a reference to the data in place of the data, or raise kafka.maxMessageBytes and the topic’s max.message.bytes together.',
      options,
    );
  }
}

/** A record was not acknowledged in time. */
@ErrorSpec({
  code: 'INFRA_KAFKA_DELIVERY_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A record was not acknowledged within deliveryTimeoutMs.',
})
export class KafkaDeliveryTimeoutError extends InfraError {
  constructor(
    readonly topic: string,
    readonly timeoutMs: number,
    /** Whether it was sent, and so may be there all the same. */
    readonly mayHaveArrived: boolean,
    reason: string | undefined,
    options: Cause = {},
  ) {
    super(
      `A record for the topic "${topic}" was not acknowledged within ${timeoutMs} ms${reason ? `: ${reason.replace(/\.$/, '')}` : ''}.`,
      mayHaveArrived
        ? 'It may have arrived: whoever sends it again relies on readers that recognise it. Look at /health/kafka-producer.'
        : 'It was not sent. Look at /health/kafka-producer.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_KAFKA_BUFFER_FULL',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'More bytes wait for their acknowledgement than maxBufferedBytes.',
})
export class KafkaBufferFullError extends InfraError {
  constructor(topic: string, limit: number) {
    super(
      `A record for the topic "${topic}" is refused, as ${limit} bytes wait for their acknowledgement already.`,
      'Await what was sent before sending more, or raise kafka.maxBufferedBytes.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_KAFKA_REVOKED',
  fault: 'dependency',
  summary: 'An offset is committed for a partition that is not this member’s any more.',
})
export class KafkaRevokedError extends InfraError {
  constructor(
    readonly group: string,
    topic: string,
    partition: number,
    options: Cause = {},
  ) {
    super(
      `Partition ${partition} of "${topic}" is not this member’s of the group "${group}" any more, so nothing was committed.`,
      'Nothing has to be done: its next owner reads what was not committed again.',
      options,
    );
  }
}

/** The client is used after it was closed. */
@ErrorSpec({ code: 'INFRA_KAFKA_CLOSED', status: 503, summary: 'The client is used after it was closed.' })
export class KafkaClosedError extends InfraError {
  constructor(readonly connection: string) {
    super(`${connection} is closed.`, 'Send nothing after the shutdown has begun to close connections.');
  }
}

@ErrorSpec({
  code: 'INFRA_KAFKA_COMPRESSION',
  summary: 'Records are compressed in a way that this process cannot read or write.',
})
export class KafkaCompressionError extends InfraError {
  constructor(
    readonly compression: string,
    fix: string,
  ) {
    super(`Records compressed with ${compression} can be neither read nor written here.`, fix);
  }
}

/** The broker refuses a request for a reason of its own. */
@ErrorSpec({
  code: 'INFRA_KAFKA_REFUSED',
  fault: 'dependency',
  summary: 'A broker refuses a request for a reason that is not told apart.',
})
export class KafkaRefusedError extends InfraError {
  constructor(action: string, reason: string, options: Cause = {}) {
    super(`Kafka refuses to ${action}: ${reason.replace(/\.$/, '')}.`, 'Look at the broker’s log.', options);
  }
}
