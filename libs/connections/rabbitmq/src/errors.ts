import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** RabbitMQ is away. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'RabbitMQ is away, or the connection was lost before it answered.',
})
export class RabbitmqUnavailableError extends InfraError {
  constructor(
    readonly connection: string,
    readonly reason: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `${connection} is away: ${reason.replace(/\.$/, '')}.`,
      'Look at /health/rabbitmq; it is connected again by itself once it answers.',
      options,
    );
  }
}

/** The broker did not answer in time. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'RabbitMQ did not confirm a message, or answer a command, in time; it may have done it all the same.',
})
export class RabbitmqTimeoutError extends InfraError {
  constructor(
    readonly connection: string,
    readonly what: string,
    readonly timeoutMs: number,
    why = '',
  ) {
    super(
      `${connection} did not ${what} within ${timeoutMs} ms${why && `: ${why}`}.`,
      'Look at the broker and the network, or raise deliveryTimeoutMs (messages) or commandTimeoutMs. It may have been done all the same.',
    );
  }
}

@ErrorSpec({ code: 'INFRA_RABBITMQ_LOGIN', summary: 'RabbitMQ refuses the user or the password.' })
export class RabbitmqLoginError extends InfraError {
  constructor(address: string, user: string, options: { cause?: unknown } = {}) {
    super(
      `RabbitMQ at ${address} refuses the login of ${user}: the user or the password is wrong${user === 'guest' ? ', or guest may come from the broker’s own machine only' : ''}.`,
      'Correct RABBITMQ_USER and RABBITMQ_PASSWORD (or RABBITMQ_URL).',
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_RABBITMQ_VHOST', summary: 'The virtual host does not exist, or the user may not enter it.' })
export class RabbitmqVhostError extends InfraError {
  constructor(address: string, vhost: string, user: string, options: { cause?: unknown } = {}) {
    super(
      `RabbitMQ at ${address} has no virtual host ${vhost}, or does not let ${user} in.`,
      `Correct RABBITMQ_VHOST (or the path of RABBITMQ_URL, in which / is %2F); add it (rabbitmqctl add_vhost ${vhost}); let the user in (rabbitmqctl set_permissions -p ${vhost} ${user} ".*" ".*" ".*").`,
      options,
    );
  }
}

@ErrorSpec({ code: 'INFRA_RABBITMQ_TLS', summary: 'The TLS settings of a connection and its broker do not fit.' })
export class RabbitmqTlsError extends InfraError {}

@ErrorSpec({ code: 'INFRA_RABBITMQ_TLS_FILE', summary: 'A certificate or key of the configuration cannot be read.' })
export class RabbitmqTlsFileError extends InfraError {
  constructor(
    readonly field: string,
    readonly path: string | undefined,
    cause: unknown,
  ) {
    const reason = (cause as { code?: string }).code ?? 'unreadable';
    super(
      `The file ${path ? `"${path}" ` : ''}that rabbitmq.tls.${field} names cannot be read (${reason}).`,
      'Correct the path or its permissions, or give the PEM text itself.',
      { cause: path ? cause : undefined },
    );
  }
}

@ErrorSpec({ code: 'INFRA_RABBITMQ_MISSING', summary: 'A queue or an exchange is used that does not exist.' })
export class RabbitmqMissingError extends InfraError {
  constructor(
    readonly kind: 'queue' | 'exchange',
    readonly resource: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `There is no ${kind} ${resource}.`,
      `Declare it with topology(), or correct its name${kind === 'queue' ? ' (RABBITMQ_QUEUE_PREFIX is in it)' : ' (RABBITMQ_EXCHANGE)'} or the virtual host.`,
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_RABBITMQ_PERMISSION',
  summary: 'The user may not do that to a queue or an exchange.',
})
export class RabbitmqPermissionError extends InfraError {
  constructor(
    readonly user: string,
    readonly resource: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `${user} may not do that to ${resource}.`,
      'Permit it (rabbitmqctl set_permissions: configure to declare, write to publish and to be bound, read to consume and to bind).',
      options,
    );
  }
}

/** A queue or an exchange exists and is not as it is declared. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_TOPOLOGY',
  summary: 'A queue or an exchange exists with other arguments than are declared.',
})
export class RabbitmqTopologyError extends InfraError {
  constructor(
    readonly kind: 'queue' | 'exchange',
    readonly resource: string,
    /** Which argument differs: `x-queue-type`, `durable`, `type`. */
    readonly argument: string,
    readonly declared: string,
    readonly existing: string,
    options: { cause?: unknown } = {},
  ) {
    super(
      `The ${kind} ${resource} exists with another ${argument}: it has ${existing}, and ${declared} is declared.`,
      `Declare it as it is, or delete it first (its messages go with it)${kind === 'queue' ? '; limits and dead letters can be changed by a policy' : ''}.`,
      options,
    );
  }
}

/** A message reached the broker, and no queue. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_UNROUTABLE',
  summary: 'A message was published, and no queue is bound for it; it is lost.',
})
export class RabbitmqUnroutableError extends InfraError {
  constructor(
    readonly exchange: string,
    readonly routingKey: string,
  ) {
    super(
      exchange === ''
        ? `The message was returned: there is no queue ${routingKey}.`
        : `The message was returned: no queue is bound to the exchange ${exchange} for the routing key ${routingKey}.`,
      'Declare the queue and its binding with topology(), or publish with mandatory: false where nobody needs to listen.',
    );
  }
}

/** A message is larger than the broker takes. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_TOO_LARGE',
  status: 413,
  summary: 'A message is larger than the broker takes (max_message_size).',
})
export class RabbitmqTooLargeError extends InfraError {
  constructor(
    /** Of its content; headers are not counted. */
    readonly bytes: number,
    readonly limit: number,
    to = '',
    options: { cause?: unknown } = {},
  ) {
    super(
      `A message${to && ` to ${to}`} has ${bytes} bytes, and the broker takes ${limit}.`,
      'Publish where the data is to be found in place of the data; or raise max_message_size of the broker.',
      options,
    );
  }
}

/** The broker said no. */
@ErrorSpec({
  code: 'INFRA_RABBITMQ_REFUSED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The broker refused a message or a command: a queue is full, or it says so itself.',
})
export class RabbitmqRefusedError extends InfraError {
  constructor(what: string, reason: string, options: { cause?: unknown } = {}) {
    super(`RabbitMQ refused ${what}: ${reason.replace(/\.$/, '')}.`, 'See the reason, and the broker’s log.', options);
  }
}
