import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_NATS_PARTITIONS',
  summary: 'A stream of events was made for another number of partitions than is configured.',
})
export class NatsPartitionsError extends InfraError {
  constructor(
    readonly stream: string,
    readonly configured: number,
    readonly found: string | undefined,
  ) {
    super(
      `The stream ${stream} has ${found ?? 'no number of'} partitions, and messaging.nats.partitions is ${configured}.`,
      found === undefined
        ? 'It was not made by this driver: choose another messaging.nats.prefix.'
        : `Set messaging.nats.partitions to ${found} with all who publish and subscribe, or take another messaging.nats.prefix.`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_NATS_TOPIC',
  summary: 'The name of a topic cannot be part of a subject.',
})
export class NatsTopicError extends InfraError {
  constructor(readonly topic: string) {
    super(
      `The topic "${topic}" cannot be part of a subject of NATS.`,
      'Name it without a dot at its beginning or end, and without two of them in a row.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_NATS_SUBJECT',
  summary: 'The subject that stands for a topic is in no stream, or not in the one that is named.',
})
export class NatsSubjectError extends InfraError {
  constructor(
    readonly topic: string,
    readonly subject: string,
    readonly stream?: string,
    has: readonly string[] = [],
  ) {
    super(
      stream === undefined
        ? `No stream has the subject "${subject}", which stands for the topic "${topic}".`
        : `The stream "${stream}" does not have the subject "${subject}", which stands for the topic "${topic}": it has ${has.join(', ')}.`,
      'Make the stream, or mend messaging.topics.<type>.subject and .stream.',
    );
  }
}
