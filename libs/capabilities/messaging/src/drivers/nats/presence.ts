import { type NatsClient, NatsPermissionError } from '@core-infra/nats';
import type { Clock } from '@core-infra/kernel';

type Connection = NatsClient['connection'];

/** What a member tells of itself. */
interface Beat {
  readonly member: string;
  /** The partitions that it has, by topic. */
  readonly topics: Readonly<Record<string, readonly number[]>>;
  /** It has just come, and asks who is there. */
  readonly isNew?: boolean;
  readonly isLeaving?: boolean;
}

interface Heard {
  at: number;
  topics: Beat['topics'];
}

export interface PresenceSite {
  readonly client: NatsClient;
  readonly clock: Clock;
  readonly subject: string;
  readonly member: string;
  readonly timeoutMs: number;
  topics(): Beat['topics'];
  /** Somebody has come, gone, or has other partitions. */
  changed(): void;
  /** The others cannot be heard. */
  troubled(error: Error): void;
}

/** Who is in a group: each tells the others by core NATS, from time to time and when something changes. */
export class Presence {
  private readonly others = new Map<string, Heard>();
  private subscription?: { unsubscribe(): void };
  private connection?: Connection;
  private listeningSince = 0;
  /** Why the others are not heard. */
  private refusal?: Error;

  constructor(private readonly site: PresenceSite) {}

  /** Begins to listen, again where the connection is another one. */
  listen(): void {
    const { client, subject, clock } = this.site;
    const { connection } = client;
    if (this.connection === connection) return;
    this.connection = connection;
    this.refusal = undefined;
    this.listeningSince = clock.monotonic();
    this.subscription = connection.subscribe(subject, {
      callback: (error, message) => {
        if (error) this.refuse(error);
        else this.hear(beatOf(message.data));
      },
    });
  }

  /** Nobody could be heard for a while. */
  refresh(): void {
    const now = this.site.clock.monotonic();
    this.listeningSince = now;
    for (const heard of this.others.values()) heard.at = now;
  }

  /** Tells, and resolves when the server has it, and all it had for us was heard. */
  async beat(more: Pick<Beat, 'isNew' | 'isLeaving'> = {}): Promise<void> {
    const { client, subject, member, timeoutMs } = this.site;
    const beat: Beat = { member, topics: more.isLeaving ? {} : this.site.topics(), ...more };
    client.connection.publish(subject, JSON.stringify(beat));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new Error('The server does not answer.')), timeoutMs / 2).unref();
    });
    try {
      await Promise.race([client.connection.flush(), late]);
    } finally {
      clearTimeout(timer);
    }
    if (this.refusal) throw this.refusal;
  }

  /** Whether a member may be at work; of one that was never heard, once it had time to tell. */
  isAlive(member: string): boolean {
    const since = this.others.get(member)?.at ?? this.listeningSince;
    return this.site.clock.monotonic() - since < this.site.timeoutMs;
  }

  /** The other members that have the topic, by their partitions of it. */
  ofTopic(topic: string): readonly (readonly number[])[] {
    const found: (readonly number[])[] = [];
    for (const [member, { topics }] of this.others) {
      if (!this.isAlive(member)) this.others.delete(member);
      else if (topics[topic]) found.push(topics[topic]);
    }
    return found;
  }

  end(): void {
    this.subscription?.unsubscribe();
  }

  private refuse(error: Error): void {
    const { operation, subject } = error as { operation?: 'publish' | 'subscription'; subject?: string };
    const isPermission = error.name === 'PermissionViolationError' && operation && subject;
    this.refusal = isPermission ? new NatsPermissionError(operation, subject, { cause: error }) : error;
    // Tried again with the next look.
    this.connection = undefined;
    this.site.troubled(this.refusal);
  }

  private hear(beat: Beat | undefined): void {
    const { site } = this;
    if (!beat || beat.member === site.member) return;
    const { member, topics, isNew, isLeaving } = beat;
    const before = this.others.get(member);
    // One that has left is not waited for, should its name still be somewhere.
    this.others.set(member, { at: isLeaving ? -Infinity : site.clock.monotonic(), topics });
    if (isNew) void this.beat().catch(() => undefined);
    if (isLeaving || !before || JSON.stringify(before.topics) !== JSON.stringify(topics)) site.changed();
  }
}

/** Strangers may tell anything. @returns nothing of what no member has told */
function beatOf(data: Uint8Array): Beat | undefined {
  try {
    const beat = JSON.parse(Buffer.from(data).toString()) as Beat | null;
    if (typeof beat?.member !== 'string' || !Object.values(beat.topics).every(own => Array.isArray(own)))
      return undefined;
    return beat;
  } catch {
    return undefined;
  }
}
