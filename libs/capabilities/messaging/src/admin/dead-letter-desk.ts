import { setTimeout as sleep } from 'node:timers/promises';
import { classify } from '@core-infra/kernel';
import type { MessagingHub } from '../bus/messaging-hub.js';
import type { DeadLetter, DeadLetterFilter } from '../stores/dead-letters.js';
import { UnknownDeadLetterError } from './errors.js';

/** Which dead letters: these, or all that the filter finds. */
export interface Selection {
  readonly ids?: readonly string[];
  readonly filter?: DeadLetterFilter;
  /** At most so many, the oldest first. @default all that there are at the beginning */
  readonly most?: number;
}

export interface ReplayOptions {
  /** At most so many a second. @default as fast as the broker takes them */
  readonly perSecond?: number;
  /** After so long nothing more is begun, in milliseconds. @default never */
  readonly stopAfterMs?: number;
  readonly signal: AbortSignal;
}

export interface Replayed {
  /** Sent, and removed from the dead letters. */
  readonly replayed: number;
  /** Sent, though somebody else had replayed or discarded them by then: what was replayed twice comes twice. */
  readonly gone: number;
  /** What the broker did not take; these stay. When it is away, those behind are not tried. */
  readonly refused: readonly { readonly id: string; readonly error: Error }[];
  /** The time was over before all were tried: the rest is as it was. */
  readonly unfinished?: true;
}

/** Bodies may be large: so many are in memory at once. */
const pageSize = 25;

/** Shows, replays and discards dead letters, for the command line and the admin module alike. */
export class DeadLetterDesk {
  constructor(private readonly hub: MessagingHub) {}

  list(
    filter: DeadLetterFilter,
    page: { readonly limit: number; readonly after?: string },
    signal: AbortSignal,
  ): Promise<readonly DeadLetter[]> {
    return this.hub.deadLetters.list(filter, page, signal);
  }

  /** @throws UnknownDeadLetterError */
  async get(id: string, signal: AbortSignal): Promise<DeadLetter> {
    const letter = await this.hub.deadLetters.get(id, signal);
    if (!letter) throw new UnknownDeadLetterError(id);
    return letter;
  }

  count(filter: DeadLetterFilter, signal: AbortSignal): Promise<number> {
    return this.hub.deadLetters.count(filter, signal);
  }

  /**
   * Page by page, oldest first. What becomes a dead letter meanwhile is left out: one that is replayed and fails again would come round for ever.
   * @throws UnknownDeadLetterError for an id that is not there
   */
  async *select(
    { ids, filter = {}, most = Infinity }: Selection,
    signal: AbortSignal,
    size: number = pageSize,
  ): AsyncGenerator<readonly DeadLetter[]> {
    if (ids) {
      for (const id of ids.slice(0, Math.min(most, ids.length))) yield [await this.get(id, signal)];
      return;
    }
    const { deadLetters, site } = this.hub;
    const until = Math.min(filter.until ?? Infinity, site.clock.now());
    const bounded = { ...filter, until };
    let left = Math.min(most, await deadLetters.count(bounded, signal));
    for (let after: string | undefined; left > 0;) {
      const page = await deadLetters.list(
        bounded,
        { limit: Math.min(size, left), ...(after !== undefined && { after }) },
        signal,
      );
      if (page.length === 0) return;
      yield page;
      left -= page.length;
      after = page.at(-1)!.id;
    }
  }

  /**
   * Sends messages to the group that gave them up, with all attempts before them, and publishes again what the outbox could not. Each is removed
   * once the broker has durably accepted it; what fails again is a dead letter anew.
   */
  async replay(selection: Selection, { perSecond, stopAfterMs = Infinity, signal }: ReplayOptions): Promise<Replayed> {
    const { clock } = this.hub.site;
    const since = clock.monotonic();
    const refused: { id: string; error: Error }[] = [];
    let replayed = 0;
    let gone = 0;
    const size = perSecond === undefined ? pageSize : Math.min(pageSize, Math.max(1, Math.floor(perSecond / 10)));
    for await (const page of this.select(selection, signal, size)) {
      signal.throwIfAborted();
      const passed = clock.monotonic() - since;
      const early = perSecond === undefined ? 0 : ((replayed + gone + refused.length) / perSecond) * 1_000 - passed;
      if (passed + Math.max(0, early) > stopAfterMs) return { replayed, gone, refused, unfinished: true };
      if (early > 0) await sleep(early, undefined, { signal });
      const errors = await this.send(page, signal);
      const done = page.filter((_letter, at) => !errors[at]);
      for (const [at, error] of errors.entries()) if (error) refused.push({ id: page[at]!.id, error });
      if (done.length > 0) {
        const removed = await this.hub.deadLetters.remove(
          done.map(({ id }) => id),
          signal,
        );
        replayed += removed;
        gone += done.length - removed;
      }
      // What is behind would meet the same.
      if (errors.some(error => error && classify(error).retryable)) break;
    }
    return { replayed, gone, refused };
  }

  /** @returns how many were removed; those that somebody else had removed meanwhile are not counted */
  async discard(selection: Selection, signal: AbortSignal): Promise<number> {
    let discarded = 0;
    for await (const page of this.select(selection, signal))
      discarded += await this.hub.deadLetters.remove(
        page.map(({ id }) => id),
        signal,
      );
    return discarded;
  }

  /** One error or `undefined` for each letter, at its place. */
  private async send(letters: readonly DeadLetter[], signal: AbortSignal): Promise<readonly (Error | undefined)[]> {
    const { driver, site } = this.hub;
    const errors: (Error | undefined)[] = letters.map(() => undefined);
    const places = new Map<string, number[]>();
    for (const [at, { group, reason }] of letters.entries()) {
      const to = reason === 'unpublishable' ? '' : group;
      places.set(to, [...(places.get(to) ?? []), at]);
    }
    for (const [group, own] of places) {
      if (group === '') {
        const messages = own.map(at => ({ ...letters[at]!.message, kind: letters[at]!.kind ?? ('event' as const) }));
        const results = await driver.publish(messages, signal);
        for (const [at, place] of own.entries()) errors[place] = results[at];
        continue;
      }
      const firstAttemptAt = site.clock.now();
      const messages = own.map(at => ({ ...letters[at]!.message, attempts: 0, firstAttemptAt }));
      try {
        await driver.sendToGroup(group, messages, signal);
      } catch (error) {
        signal.throwIfAborted();
        for (const at of own) errors[at] = error as Error;
      }
    }
    return errors;
  }
}
