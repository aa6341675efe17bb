import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_EVENT_DEFINITION', summary: 'A type of events is defined in a way that makes no sense.' })
export class BadEventDefinitionError extends InfraError {
  constructor(
    readonly type: string,
    problem: string,
  ) {
    super(`The definition of the event "${type}" cannot be used: ${problem}.`, 'Correct its defineEvent(…).');
  }
}

/** The data of an event does not fit its class. */
@ErrorSpec({ code: 'INFRA_EVENT_INVALID', summary: 'The data of an event does not fit the class of its definition.' })
export class EventInvalidError extends InfraError {
  constructor(
    readonly type: string,
    /** Path of each wrong field, with what it must be. */
    readonly problems: Readonly<Record<string, string>>,
  ) {
    const listed = Object.entries(problems).map(([path, problem]) => `${path || 'data'}: ${problem}`);
    super(
      `The data of the event "${type}" is not valid: ${listed.join('; ')}.`,
      'Correct the data, or the class of the event.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_EVENT_ATTRIBUTE',
  summary: 'An id, key, subject or header of an event cannot be carried by every broker.',
})
export class EventAttributeError extends InfraError {
  constructor(type: string, problem: string) {
    super(`The event "${type}" cannot be published: ${problem}.`, 'Correct what is given beside its data.');
  }
}

@ErrorSpec({
  code: 'INFRA_EVENT_TOO_LARGE',
  status: 413,
  fault: 'client',
  summary: 'An event is larger than messages may be.',
})
export class EventTooLargeError extends InfraError {
  constructor(
    readonly type: string,
    readonly bytes: number,
    /** Unknown where the broker does not tell. */
    readonly limit: number | undefined,
    options?: ErrorOptions,
  ) {
    super(
      `The event "${type}" has ${bytes} bytes, and ${limit === undefined ? 'the broker takes no message of that size' : `messages may have ${limit}`}.`,
      'Publish where the data is to be found in place of the data; or raise messaging.maxMessageBytes, and the limit of the broker.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_MESSAGE_TOO_LARGE',
  summary: 'A message that came is larger than messages that are read may be.',
})
export class MessageTooLargeError extends InfraError {
  constructor(
    readonly topic: string,
    readonly bytes: number,
    readonly limit: number,
  ) {
    super(
      `A message of the topic "${topic}" has ${bytes} bytes, and such as are read may have ${limit}.`,
      'If it is to be handled, raise messaging.consumers.maxMessageBytes and replay it.',
    );
  }
}

/** The bytes of a message are no event. */
@ErrorSpec({ code: 'INFRA_EVENT_UNDECODABLE', summary: 'A message cannot be read as an event.' })
export class EventUndecodableError extends InfraError {
  constructor(
    readonly topic: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(
      `A message of the topic "${topic}" cannot be read: ${problem}.`,
      'If another system writes this topic, name its codec in messaging.topics.',
      options,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_EVENT_UNKNOWN_VERSION',
  summary: 'An event has a version that this consumer does not know, or has no way up from.',
})
export class UnknownEventVersionError extends InfraError {
  constructor(
    readonly type: string,
    readonly version: number,
    readonly known: number,
  ) {
    super(
      `An event "${type}" has version ${version}, and version ${known} is known here.`,
      version > known
        ? 'Deploy consumers before producers; then replay it: core-infra dlq replay.'
        : `Give its definition the upcast ${version}; then replay it: core-infra dlq replay.`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_PUBLISH_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary:
    'The broker did not accept an event in time, and may have it all the same; or it could not be written into the outbox in time.',
})
export class PublishTimeoutError extends InfraError {
  constructor(timeoutMs: number, to: 'broker' | 'outbox' = 'broker', options?: ErrorOptions) {
    if (to === 'broker')
      super(
        `The broker has not accepted an event within ${timeoutMs} ms; it may have it all the same.`,
        'Publish in a transaction with an outbox, so that nobody waits for the broker; or raise messaging.publishTimeoutMs.',
        options,
      );
    else
      super(
        `An event could not be written into the outbox within ${timeoutMs} ms; its transaction can only be rolled back.`,
        'Look for what holds a lock on messaging_outbox (pg_locks, pg_stat_activity); or raise messaging.publishTimeoutMs.',
        options,
      );
  }
}

@ErrorSpec({
  code: 'INFRA_PUBLISH_FAILED',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The broker did not accept an event, or some of several.',
})
export class PublishFailedError extends InfraError {
  constructor(
    /** The places in the list of those that were not accepted, with why. */
    readonly failures: readonly { readonly index: number; readonly error: Error }[],
    total: number,
  ) {
    const first = failures[0]?.error;
    super(
      `The broker has not accepted ${failures.length} of ${total} events: ${first?.message ?? 'no reason given'}`,
      '',
      { cause: first },
    );
  }
}

@ErrorSpec({
  code: 'INFRA_SCHEDULE_UNSUPPORTED',
  summary: 'An event is scheduled, and nothing here can keep it until its time.',
})
export class ScheduleUnsupportedError extends InfraError {
  constructor(driver: string) {
    super(
      `Nothing can keep an event until its time: the driver "${driver}" cannot, and there is no outbox.`,
      'Import OutboxModule of @core-infra/messaging/outbox.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_PUBLISH_OUTSIDE_TRANSACTION',
  summary: 'An event is published outside of a transaction, and messaging.outsideTransaction is "refuse".',
})
export class OutsideTransactionError extends InfraError {
  constructor(type: string) {
    super(
      `The event "${type}" is published outside of a transaction.`,
      'Publish it in a @Transactional() method, or set messaging.outsideTransaction to "publish".',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_MESSAGING_ROUTES',
  summary:
    'Types of events share a topic whose messages do not say of which type they are, or are written differently.',
})
export class RouteConflictError extends InfraError {
  constructor(
    one: { readonly type: string; readonly topic: string; readonly codec: string },
    other: { readonly type: string; readonly codec: string },
  ) {
    super(
      `The topic "${one.topic}" is that of "${one.type}" (${one.codec}) and of "${other.type}" (${other.codec}): one could not be told from the other.`,
      'Give each a topic of its own in messaging.topics, or both the codec "cloudevents", whose messages say their type.',
    );
  }
}

@ErrorSpec({ code: 'INFRA_MESSAGING_HANDLERS', summary: 'Handlers of messages contradict each other.' })
export class HandlerConflictError extends InfraError {
  constructor(problem: string, fix: string) {
    super(problem, fix);
  }
}

@ErrorSpec({
  code: 'INFRA_MESSAGING_MEMORY_IN_PRODUCTION',
  summary: 'The driver "memory", which loses messages with the process, is used in production.',
})
export class MemoryInProductionError extends InfraError {
  constructor() {
    super(
      'Messages are carried in memory, which loses them with the process, and this is production.',
      'Set messaging.driver to kafka, rabbitmq, nats or postgres; or messaging.allowMemoryInProduction.',
    );
  }
}

/** One attempt of a handler took too long. */
@ErrorSpec({
  code: 'INFRA_HANDLER_TIMEOUT',
  retryable: true,
  summary: 'A handler of a message did not end in time; its attempt has failed.',
})
export class HandlerTimeoutError extends InfraError {
  constructor(handler: string, timeoutMs: number) {
    super(
      `${handler} has not ended within ${timeoutMs} ms.`,
      'Heed the signal of its context; or give it more time: timeoutMs of @Subscribe, or messaging.consumers.timeoutMs.',
    );
  }
}

/** Nothing more can be parked. */
@ErrorSpec({
  code: 'INFRA_PARKING_FULL',
  fault: 'dependency',
  retryable: true,
  summary: 'As many messages are parked as may be; the group fetches no more until some are done.',
})
export class ParkingFullError extends InfraError {
  constructor(group: string, messages: number) {
    super(
      `${messages} messages of the group "${group}" are parked, and no more may be.`,
      'Mend what makes the handler fail, or raise the bound of parked messages.',
    );
  }
}

/** A topic is not there, and none are made. */
@ErrorSpec({
  code: 'INFRA_MESSAGING_TOPIC_MISSING',
  fault: 'dependency',
  retryable: true,
  summary: 'A topic of Kafka that is needed does not exist, and messaging.kafka.createTopics is off.',
})
export class KafkaTopicsMissingError extends InfraError {
  constructor(topic: {
    readonly topic: string;
    readonly partitions?: number;
    readonly config?: Readonly<Record<string, string>>;
  }) {
    const { topic: name, partitions, config = {} } = topic;
    const settings = Object.entries(config).map(([key, value]) => ` --config ${key}=${value}`);
    super(
      `The topic "${name}" does not exist.`,
      `Make it: kafka-topics.sh --create --topic ${name}${partitions === undefined ? '' : ` --partitions ${partitions}`}${settings.join('')}; or set messaging.kafka.createTopics.`,
    );
  }
}
