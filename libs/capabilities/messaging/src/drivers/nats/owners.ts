import type { NatsClient } from '@core-infra/nats';
import type { Streams } from './streams.js';

const NO_MESSAGE = 10_037;
const WRONG_LAST_SEQUENCE = new Set([10_071, 10_164]);

/** What is written of a partition. */
interface Owner {
  /** Nobody, when it was given up with all its messages given back. */
  readonly member: string | null;
}

export interface Claim {
  /** Number of what was written; anything newer is somebody else's. */
  readonly revision: number;
  /** Who had it before has given everything back; else it may still have messages in hand. */
  readonly isClean: boolean;
  /** It was this member's, which had not reached the server for a while. */
  readonly isOwn: boolean;
}

/** Who of a group has which partition: the last message of a subject for each, which is replaced only if it is still the one that was read. */
export class Owners {
  constructor(
    private readonly client: NatsClient,
    private readonly streams: Streams,
    private readonly group: string,
    private readonly member: string,
  ) {}

  /** @returns nothing if it belongs to a member that `isAlive`, or somebody else was quicker */
  async claim(topic: string, partition: number, isAlive: (member: string) => boolean): Promise<Claim | undefined> {
    const last = await this.read(topic, partition);
    const before = last?.owner.member ?? null;
    if (before !== null && before !== this.member && isAlive(before)) return undefined;
    const revision = await this.write(topic, partition, { member: this.member }, last?.revision ?? 0);
    return revision === undefined ? undefined : { revision, isClean: before === null, isOwn: before === this.member };
  }

  async isMine(topic: string, partition: number, revision: number): Promise<boolean> {
    return (await this.read(topic, partition))?.revision === revision;
  }

  async giveUp(topic: string, partition: number, revision: number): Promise<void> {
    await this.write(topic, partition, { member: null }, revision);
  }

  private async read(topic: string, partition: number): Promise<{ owner: Owner; revision: number } | undefined> {
    const manager = await this.client.jetstreamManager();
    const { names } = this.streams;
    try {
      const found = await manager.streams.getMessage(names.groupsStream, {
        last_by_subj: names.owner(this.group, topic, partition),
      });
      return found ? { owner: JSON.parse(found.string()) as Owner, revision: found.seq } : undefined;
    } catch (error) {
      if ((error as { code?: number }).code === NO_MESSAGE) return undefined;
      throw error;
    }
  }

  private async write(topic: string, partition: number, owner: Owner, after: number): Promise<number | undefined> {
    try {
      const { seq } = await this.client.publish(
        {
          subject: this.streams.names.owner(this.group, topic, partition),
          data: JSON.stringify(owner),
          expect: { lastSubjectSequence: after },
        },
        { whileAway: 'fail', timeoutMs: this.streams.config.memberTimeoutMs },
      );
      return seq;
    } catch (error) {
      if (WRONG_LAST_SEQUENCE.has((error as { apiCode?: number }).apiCode ?? 0)) return undefined;
      throw error;
    }
  }
}
