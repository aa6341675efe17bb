import type { Clock } from '@core-infra/kernel';
import type { DeliverySink } from '../../driver/message-driver.js';
import type { Jobs } from './jobs.js';
import type { Leases } from './leases.js';
import { PARTITIONS } from './queues.js';

export interface QueuePartition {
  readonly name: string;
  readonly number: number;
}

export interface HoldingsSite {
  readonly leases: Leases;
  readonly jobs: Jobs;
  readonly sink: DeliverySink;
  readonly clock: Clock;
  readonly leaseMs: number;
  topicOf(queue: string): string;
  /** Nothing of these partitions is settled or released any more. */
  given(isGiven: (queue: string, number: number) => boolean): void;
  flush(signal: AbortSignal): Promise<void>;
}

/** Without a renewal for this part of a lease its partitions are given up, so that it is over here before another member begins. */
const trust = 0.7;

/** The partitions of a member: takes its fair share, gives up what is above it, and what it can no longer be sure of. */
export class Holdings {
  /** `leaving`: work on it is being ended. */
  private readonly states = new Map<string, QueuePartition & { state: 'held' | 'leaving' }>();
  private renewedAt = -Infinity;

  constructor(private readonly site: HoldingsSite) {}

  get member(): string {
    return this.site.leases.member;
  }

  held(): QueuePartition[] {
    return [...this.states.values()].filter(({ state }) => state === 'held');
  }

  holds(name: string, number: number): boolean {
    return this.states.get(markOf(name, number))?.state === 'held';
  }

  /** Renews what is held, and moves towards the fair share. Returns whether it got more. */
  async renew(queues: readonly string[]): Promise<boolean> {
    const { leases, clock } = this.site;
    const before = clock.monotonic();
    const standing = await leases.renew(queues);
    this.renewedAt = before;
    let gained = false;
    for (const queue of queues) {
      const share = Math.ceil(PARTITIONS / (standing.members.get(queue) ?? 1));
      const all = standing.leases.filter(({ name }) => name === queue);
      const lost = all.filter(({ mine, number }) => !mine && this.holds(queue, number));
      if (lost.length > 0) this.leave(lost, false);
      const held = this.held().filter(({ name }) => name === queue);
      if (held.length > share) this.leave(held.slice(share), true);
      const free = all.filter(
        ({ mine, free: isFree, number }) => (mine || isFree) && !this.states.has(markOf(queue, number)),
      );
      if (held.length < share && free.length > 0)
        gained =
          (await this.take(
            queue,
            free.slice(0, share - held.length).map(({ number }) => number),
          )) || gained;
    }
    return gained;
  }

  announce(queues: readonly string[]): Promise<void> {
    return this.site.leases.announce(queues);
  }

  giveUp(partitions: readonly QueuePartition[]): void {
    this.leave(
      partitions.filter(({ name, number }) => this.holds(name, number)),
      true,
    );
  }

  /** Gives everything up once the leases have not been renewed for too long. */
  expire(): void {
    if (this.site.clock.monotonic() - this.renewedAt < this.site.leaseMs * trust) return;
    const held = this.held();
    if (held.length > 0) this.leave(held, true);
  }

  /** The end of the membership: what was claimed is put back, and all partitions are free. */
  async leaveAll(queues: readonly string[]): Promise<void> {
    for (const queue of queues) {
      const numbers = [...this.states.values()].filter(({ name }) => name === queue).map(({ number }) => number);
      if (numbers.length > 0) await this.site.jobs.putBack(queue, { member: this.member, numbers });
      await this.site.leases.leave(queue);
    }
    this.states.clear();
  }

  private async take(queue: string, wanted: readonly number[]): Promise<boolean> {
    const { leases, jobs, sink } = this.site;
    const numbers = await leases.take(queue, wanted);
    if (numbers.length === 0) return false;
    // What its last holder had claimed, and was not done with.
    await jobs.putBack(queue, { member: this.member, numbers });
    const topic = this.site.topicOf(queue);
    await sink.assigned(numbers.map(number => ({ topic, number })));
    for (const number of numbers) this.states.set(markOf(queue, number), { name: queue, number, state: 'held' });
    return true;
  }

  /** Ends the work on partitions, and then gives them to others if they are ours to give. */
  private leave(partitions: readonly QueuePartition[], ours: boolean): void {
    const own = partitions.map(({ name, number }) => ({ name, number }));
    for (const { name, number } of own) this.states.set(markOf(name, number), { name, number, state: 'leaving' });
    const end = async (): Promise<void> => {
      await this.site.sink.revoked(own.map(({ name, number }) => ({ topic: this.site.topicOf(name), number })));
      const marks = new Set(own.map(({ name, number }) => markOf(name, number)));
      this.site.given((name, number) => marks.has(markOf(name, number)));
      if (!ours) return;
      await this.site.flush(AbortSignal.timeout(this.site.leaseMs));
      for (const queue of new Set(own.map(({ name }) => name)))
        await this.site.leases.give(
          queue,
          own.filter(({ name }) => name === queue).map(({ number }) => number),
        );
    };
    void end()
      // A lease that could not be given back is renewed, and taken up again by this member.
      .catch(() => undefined)
      .then(() => {
        for (const { name, number } of own) this.states.delete(markOf(name, number));
      });
  }
}

const markOf = (name: string, number: number): string => `${name} ${number}`;
