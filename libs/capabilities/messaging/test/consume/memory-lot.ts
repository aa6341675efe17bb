import type { ParkedMessage, ParkingLot } from '../../src/index.js';
import { turns } from './member.js';

/** A parking lot in memory that takes its time: it reads and writes some turns before or after it answers. */
export class MemoryLot implements ParkingLot {
  readonly keysHere = new Map<string, ParkedMessage[]>();
  private ticket = 0;
  /** Turns before the lot is looked at, and turns until the caller knows; drawn one after another. */
  constructor(private readonly lags: readonly number[] = [0]) {}

  private at = 0;
  private async lag(): Promise<void> {
    await turns(this.lags[this.at++ % this.lags.length]!);
  }

  get messages(): number {
    return [...this.keysHere.values()].reduce((sum, list) => sum + list.length, 0);
  }

  keys: ParkingLot['keys'] = async () => [];

  park: ParkingLot['park'] = async (group, requests) => {
    await this.lag();
    for (const { message, attempts } of requests) {
      const list = this.keysHere.get(message.key) ?? [];
      this.keysHere.set(message.key, list);
      const ticket = String((this.ticket += 1));
      if (!list.some(({ id }) => id === message.id)) list.push({ ...message, group, ticket, attempts });
    }
    await this.lag();
  };

  next: ParkingLot['next'] = async (_group, { key }, limit) => {
    await this.lag();
    const found = (this.keysHere.get(key) ?? []).slice(0, limit);
    await this.lag();
    return found;
  };

  postpone: ParkingLot['postpone'] = async ({ key, ticket, firstAttemptAt }, attempts) => {
    await this.lag();
    const list = this.keysHere.get(key!)!;
    const at = list.findIndex(other => other.ticket === ticket);
    list[at] = { ...list[at]!, attempts, ...(firstAttemptAt !== undefined && { firstAttemptAt }) };
    await this.lag();
  };

  remove: ParkingLot['remove'] = async messages => {
    await this.lag();
    for (const { key, ticket } of messages) {
      const list = this.keysHere.get(key!)!;
      list.splice(
        list.findIndex(other => other.ticket === ticket),
        1,
      );
    }
    await this.lag();
  };

  size: ParkingLot['size'] = async () => ({ keys: this.keysHere.size, messages: this.messages });
}
