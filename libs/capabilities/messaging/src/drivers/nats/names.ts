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

/** A subject of a stream that is not made here, and stands for a topic. */
export interface Foreign {
  readonly stream: string;
  readonly subject: string;
}

/** Streams and subjects by their names; each kind of message has a first word of its own, so that no topic's name can be mistaken for another's subject. */
export class Names {
  readonly tasksStream: string;
  readonly retryStream: string;
  readonly deadStream: string;
  readonly groupsStream: string;
  private readonly stream: string;
  /** Topics for which another system's stream stands. */
  private readonly foreign = new Map<string, Foreign>();

  constructor(private readonly config: NatsMessagingConfig) {
    this.stream = config.prefix.toUpperCase();
    this.tasksStream = `${this.stream}_TASKS`;
    this.retryStream = `${this.stream}_RETRY`;
    this.deadStream = `${this.stream}_DLQ`;
    this.groupsStream = `${this.stream}_GROUPS`;
  }

  /** From here on this stands for the topic. */
  set(topic: string, foreign: Foreign): void {
    this.foreign.set(topic, foreign);
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

  /** Where a message of the topic is published, and the stream that must have it where that is known. */
  target(topic: string, partition: number, isTask: boolean): Partial<Foreign> & { readonly subject: string } {
    const subject = isTask ? this.task(topic, partition) : this.events(topic, partition);
    return this.foreign.get(topic) ?? { subject };
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
    const { stream = isTasks ? this.tasksStream : this.eventsStream(topic).name, subject } = this.target(
      topic,
      partition,
      isTasks,
    );
    return { stream, subject, consumer: `${isTasks ? '' : `${token(group)}=`}${token(topic)}=${partition}` };
  }

  againSource(group: string, topic: string): Source {
    return {
      stream: this.retryStream,
      subject: this.again(group, topic),
      consumer: `${token(group)}=${token(topic)}`,
    };
  }
}
