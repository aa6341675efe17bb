import { crc32 } from 'node:zlib';
import type { NatsMessagingConfig } from '../../config/nats-messaging.config.js';

/** The one group of those who may be pinned to a consumer, in JetStream's sense. */
export const PIN_GROUP = 'owner';

/** Names of groups and topics have dots, which divide subjects, and no tildes. */
const token = (name: string): string => name.replaceAll('.', '~');

export function partitionOf(key: string, partitions: number): number {
  return crc32(key) % partitions;
}

/** Where messages wait for a group: a part of a topic's events or tasks, or what the group gets again. */
export interface Source {
  readonly stream: string;
  readonly subject: string;
  readonly consumer: string;
}

/** Streams and subjects by their names; each kind of message has a first word of its own, so that no topic's name can be mistaken for another's subject. */
export class Names {
  readonly tasksStream: string;
  readonly retryStream: string;
  readonly deadStream: string;
  readonly groupsStream: string;
  private readonly stream: string;

  constructor(private readonly config: NatsMessagingConfig) {
    this.stream = config.prefix.toUpperCase();
    this.tasksStream = `${this.stream}_TASKS`;
    this.retryStream = `${this.stream}_RETRY`;
    this.deadStream = `${this.stream}_DLQ`;
    this.groupsStream = `${this.stream}_GROUPS`;
  }

  get tasks(): string {
    return `${this.config.prefix}_tasks`;
  }
  get retry(): string {
    return `${this.config.prefix}_retry`;
  }
  get dead(): string {
    return `${this.config.prefix}_dlq`;
  }
  get owners(): string {
    return `${this.config.prefix}_owners`;
  }
  get parkings(): string {
    return `${this.config.prefix}_parked`;
  }

  /** The stream of a topic's events, and the subjects it has. */
  eventsStream(topic: string): { readonly name: string; readonly subjects: readonly string[] } {
    const { prefix, streamPerTopic } = this.config;
    return streamPerTopic
      ? { name: `${this.stream}=${token(topic)}`, subjects: [`${prefix}.${topic}.*`] }
      : { name: this.stream, subjects: [`${prefix}.>`] };
  }

  events(topic: string, partition: number): string {
    return `${this.config.prefix}.${topic}.${partition}`;
  }

  task(topic: string, partition: number): string {
    return `${this.tasks}.${topic}.${partition}`;
  }

  again(group: string, topic: string): string {
    return `${this.retry}.${token(group)}.${token(topic)}`;
  }

  letter(group: string, id: string): string {
    return `${this.dead}.${token(group)}.${id}`;
  }

  letters(group?: string): string {
    return `${this.dead}.${group === undefined ? '*' : token(group)}.*`;
  }

  owner(group: string, topic: string, partition: number): string {
    return `${this.owners}.${token(group)}.${token(topic)}.${partition}`;
  }

  /** What is before the tickets of messages that are parked. */
  parked(group: string, topic: string, partition: number): string {
    return `${this.parkings}.${token(group)}.${token(topic)}.${partition}`;
  }

  /** Where members of a group tell of themselves. */
  members(group: string): string {
    return `${this.config.prefix}_members.${token(group)}`;
  }

  source(group: string, topic: string, partition: number, isTasks: boolean): Source {
    return isTasks
      ? {
          stream: this.tasksStream,
          subject: this.task(topic, partition),
          consumer: `${token(topic)}=${partition}`,
        }
      : {
          stream: this.eventsStream(topic).name,
          subject: this.events(topic, partition),
          consumer: `${token(group)}=${token(topic)}=${partition}`,
        };
  }

  againSource(group: string, topic: string): Source {
    return {
      stream: this.retryStream,
      subject: this.again(group, topic),
      consumer: `${token(group)}=${token(topic)}`,
    };
  }
}
