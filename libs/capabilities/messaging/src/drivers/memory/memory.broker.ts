import type { Clock } from '@core-infra/kernel';
import type {
  ConsumeRequest,
  Consumption,
  DeliverySink,
  DriverFeatures,
  GroupMessage,
  MessageDriver,
} from '../../driver/message-driver.js';
import type { OutgoingMessage, ReceivedMessage, WireMessage } from '../../driver/message.js';
import { MemoryDeadLetters } from './memory.dead-letters.js';

/** What waits for a group, and the member that gets it. */
interface Queue {
  readonly topic: string;
  /** Whether it gets events of the topic; a work queue gets tasks alone. */
  subscribes: boolean;
  readonly waiting: ReceivedMessage[];
  readonly unsettled: Map<number, ReceivedMessage>;
  position: number;
  member?: Member;
  /** What waits is about to be handed over. */
  isPumped?: boolean;
}

interface Member {
  readonly sink: DeliverySink;
  paused: boolean;
}

/** Queues of this process. A group has a queue of each topic, from its first subscription on, and one member. */
export class MemoryBroker implements MessageDriver {
  readonly name = 'memory';
  readonly features: DriverFeatures = {
    ordered: true,
    schedule: true,
    reach: 'process',
    durable: false,
    retention: 'subscribers',
  };
  readonly deadLetters = new MemoryDeadLetters();
  private readonly groups = new Map<string, Map<string, Queue>>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(private readonly clock: Clock) {}

  get waiting(): number {
    let sum = 0;
    for (const group of this.groups.values())
      for (const { waiting, unsettled } of group.values()) sum += waiting.length + unsettled.size;
    return sum;
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async publish(messages: readonly OutgoingMessage[]): Promise<readonly undefined[]> {
    for (const message of messages)
      if (message.notBefore === undefined) this.hand(message);
      else this.at(message.notBefore, () => this.hand(message));
    return messages.map(() => undefined);
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async sendToGroup(group: string, messages: readonly GroupMessage[]): Promise<void> {
    for (const message of messages) {
      const { attempts, firstAttemptAt, notBefore } = message;
      this.at(notBefore ?? 0, () =>
        this.put(this.queue(group, message.topic), message, { attempts, firstAttemptAt, redelivered: true }),
      );
    }
  }

  // eslint-disable-next-line typescript/require-await -- as the port has it
  async consume({ group, topics, queues: tasks }: ConsumeRequest, sink: DeliverySink): Promise<Consumption> {
    const queues = topics.map(topic => this.queue(group, topic));
    for (const queue of queues) queue.subscribes ||= !tasks.includes(queue.topic);
    const partitions = topics.map(topic => ({ topic, number: 0 }));
    const member: Member = { sink, paused: false };
    let stopped = false;
    // What is published from now on is kept; it may take a parking lot that is away some time until it is handled.
    void sink.assigned(partitions).then(() => {
      if (stopped) return;
      for (const queue of queues) {
        queue.member = member;
        this.pump(queue);
      }
    });
    const byTopic = new Map(queues.map(queue => [queue.topic, queue]));
    const queueOf = (message: ReceivedMessage): Queue => byTopic.get(message.topic)!;
    return {
      pause: () => void (member.paused = true),
      resume: () => {
        member.paused = false;
        for (const queue of queues) this.pump(queue);
      },
      settle: message => void queueOf(message).unsettled.delete(message.position),
      release: message => {
        const queue = queueOf(message);
        if (!queue.unsettled.delete(message.position)) return;
        queue.waiting.push(message);
        queue.waiting.sort((a, b) => a.position - b.position);
      },
      // eslint-disable-next-line typescript/require-await -- as the port has it
      backlog: async () =>
        queues.map(({ topic, waiting, unsettled }) => ({ topic, messages: waiting.length + unsettled.size })),
      stop: async () => {
        stopped = true;
        await sink.revoked(partitions);
        for (const queue of queues) {
          queue.member = undefined;
          queue.waiting.unshift(...queue.unsettled.values());
          queue.unsettled.clear();
        }
      },
    };
  }

  close(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
    this.groups.clear();
  }

  private queue(group: string, topic: string): Queue {
    let topics = this.groups.get(group);
    if (!topics) this.groups.set(group, (topics = new Map()));
    let queue = topics.get(topic);
    if (!queue)
      topics.set(topic, (queue = { topic, subscribes: false, waiting: [], unsettled: new Map(), position: 0 }));
    return queue;
  }

  /** To every group that subscribes, or to the one queue. */
  private hand(message: OutgoingMessage): void {
    const { topic, kind } = message;
    if (kind === 'task') return this.put(this.queue(topic, topic), message);
    for (const topics of this.groups.values()) {
      const queue = topics.get(topic);
      if (queue?.subscribes) this.put(queue, message);
    }
  }

  private put(
    queue: Queue,
    { id, topic, key, headers, body }: WireMessage,
    again?: Pick<ReceivedMessage, 'attempts' | 'firstAttemptAt' | 'redelivered'>,
  ): void {
    const message: { -readonly [Name in keyof ReceivedMessage]: ReceivedMessage[Name] } = {
      id,
      topic,
      headers,
      body,
      partition: 0,
      position: queue.position++,
      time: this.clock.now(),
      attempts: 0,
    };
    if (key !== undefined) message.key = key;
    queue.waiting.push(again ? Object.assign(message, again) : message);
    this.pump(queue);
  }

  /** Hands over what waits, not within the call of who published it. */
  private pump(queue: Queue): void {
    if (queue.isPumped) return;
    queue.isPumped = true;
    setImmediate(() => {
      queue.isPumped = false;
      const { member } = queue;
      if (!member || member.paused || queue.waiting.length === 0) return;
      const messages = queue.waiting.splice(0, 256);
      for (const message of messages) queue.unsettled.set(message.position, message);
      member.sink.deliver(messages);
      this.pump(queue);
    });
  }

  private at(time: number, work: () => void): void {
    const delay = time - this.clock.now();
    if (delay <= 0) return work();
    const timer = setTimeout(
      () => {
        this.timers.delete(timer);
        if (delay > longest) this.at(time, work);
        else work();
      },
      Math.min(delay, longest),
    );
    this.timers.add(timer.unref());
  }
}

const longest = 2_147_483_647;
