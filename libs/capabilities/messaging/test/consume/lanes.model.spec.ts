import { eventually } from '@core-infra/testing';
import fc from 'fast-check';
import { BatchResult, type MessageContext } from '../../src/index.js';
import type { Handler } from '../../src/handlers/handler.js';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted, turns } from './member.js';

/** A message as the model sees it: how often its handler fails (three times is dead), and for how many turns it works. */
const message = fc.record({
  key: fc.constantFrom('a', 'a', 'b', 'c', undefined),
  failures: fc.constantFrom(0, 0, 1, 2, 4),
  /** Its first attempt that fails hangs until it is aborted. */
  hangs: fc.integer({ min: 0, max: 9 }).map(drawn => drawn === 0),
  turns: fc.integer({ min: 0, max: 4 }),
});

const run = fc.record({
  messages: fc.array(message, { minLength: 1, maxLength: 40 }),
  chunks: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 5 }),
  gaps: fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 5 }),
  concurrency: fc.integer({ min: 1, max: 5 }),
  overflow: fc.integer({ min: 0, max: 3 }),
  batch: fc.option(fc.integer({ min: 1, max: 7 }), { nil: undefined }),
  /** Whether what fails goes into the lot at once, or only where many wait behind it. */
  parkAfterMs: fc.constantFrom(0, 1_000),
  lot: fc.option(fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 1, maxLength: 6 }), { nil: undefined }),
});

type Run = typeof run extends fc.Arbitrary<infer Value> ? Value : never;

class Checked {
  readonly lot?: MemoryLot;
  readonly broker: Scripted;
  /** What was handled in the end, by key. */
  readonly handled = new Map<string | undefined, number[]>();
  readonly faults: string[] = [];
  private readonly tries = new Map<number, number>();
  private readonly running = new Set<string>();
  private attempts = 0;

  constructor(private readonly given: Run) {
    const { concurrency, overflow, batch, parkAfterMs, lot } = given;
    if (lot) this.lot = new MemoryLot(lot);
    const handler: Partial<Handler> = {
      concurrency,
      overflow,
      timeoutMs: 40,
      ...(batch && { batch: { size: batch, waitMs: 1 } }),
      call: (_data, context) => this.handle(context),
    };
    this.broker = new Scripted(
      [handler],
      quickConfig(({ retry, consumers }) => {
        retry.parkAfterMs = parkAfterMs;
        consumers.maxInFlight = 200;
      }),
      this.lot,
    );
  }

  /** Delivers everything, in chunks, with turns between them. */
  async deliver(): Promise<void> {
    const { messages, chunks, gaps } = this.given;
    for (let from = 0, at = 0; from < messages.length; at += 1) {
      const size = chunks[at % chunks.length]!;
      this.broker.deliver(
        messages.slice(from, from + size).map(({ key }, index) => ({
          id: String(from + index),
          body: Buffer.from(JSON.stringify({ at: from + index })),
          ...(key !== undefined && { key }),
        })),
      );
      from += size;
      await turns(gaps[at % gaps.length]!);
    }
  }

  private hangsNow(at: number): boolean {
    const { hangs, failures } = this.given.messages[at]!;
    return hangs && failures > 0 && !this.tries.has(at);
  }

  private async handle({ events, signal }: MessageContext): Promise<unknown> {
    const { concurrency, overflow, batch = 1 } = this.given;
    if ((this.attempts += 1) > concurrency + overflow) this.faults.push('more attempts at once than may be');
    if (events.length > batch) this.faults.push('a batch is too large');
    const keys = new Set(events.flatMap(({ key }) => (key === undefined ? [] : [key])));
    for (const key of keys) {
      if (this.running.has(key)) this.faults.push(`${key} is handled twice at once`);
      this.running.add(key);
    }
    let isOver = false;
    const end = (): void => {
      if (isOver) return;
      isOver = true;
      for (const key of keys) this.running.delete(key);
      this.attempts -= 1;
    };
    // At once: whoever comes next may begin before a promise has been told. Whatever takes too long is of no effect, hanging or not.
    const aborted = new Promise<never>((_resolve, reject) => {
      signal.addEventListener('abort', () => (end(), reject(signal.reason as Error)), { once: true });
    });
    const hanging = events.filter(event => this.hangsNow((event.data as { at: number }).at));
    for (const { data } of hanging) this.tries.set((data as { at: number }).at, 1);
    if (hanging.length > 0) await aborted;
    for (const { data } of events)
      await Promise.race([turns(this.given.messages[(data as { at: number }).at]!.turns), aborted]);
    const failed: [number, Error][] = [];
    // A batch handler stops with a key where it fails, and names that event alone.
    const failedKeys = new Set<string>();
    for (const [place, event] of events.entries()) {
      const { at } = event.data as { at: number };
      const { failures, key } = this.given.messages[at]!;
      const tried = this.tries.get(at) ?? 0;
      if (key !== undefined && failedKeys.has(key)) continue;
      this.tries.set(at, tried + 1);
      if (tried >= failures) this.handled.set(key, [...(this.handled.get(key) ?? []), at]);
      else {
        if (key !== undefined) failedKeys.add(key);
        failed.push([place, new Error(`${at} fails`)]);
      }
    }
    end();
    if (this.given.batch) return BatchResult.failed(failed);
    if (failed.length > 0) throw failed[0]![1];
    return undefined;
  }
}

const ascending = (list: readonly number[]): number[] => list.toSorted((a, b) => a - b);

describe('lanes, whatever comes and fails', () => {
  it('handle every message once or bury it, each key in order, and hold nothing in the end', async () => {
    await fc.assert(
      fc.asyncProperty(run, async given => {
        const checked = new Checked(given);
        const { broker, lot, handled } = checked;
        await broker.join();
        await checked.deliver();
        await eventually(() => expect([broker.member.state.inFlight, lot?.messages ?? 0]).toEqual([0, 0]));
        const dead = await broker.deadLetters.list({}, { limit: 1_000 });
        const buried = dead.map(({ message: { id } }) => Number(id));
        const all = ascending([...buried, ...[...handled.values()].flat()]);
        expect(all).toEqual(given.messages.map((_message, at) => at));
        for (const [key, list] of handled) if (key !== undefined) expect(list).toEqual(ascending(list));
        expect(checked.faults).toEqual([]);
        expect(broker.released).toEqual([]);
        // A message that is sent to the group again is one more for the broker.
        expect(new Set(broker.settled).size).toBe(broker.settled.length);
        await broker.member.drain(AbortSignal.timeout(1_000));
        expect(broker.calls.at(-1)).toBe('stop');
      }),
      { numRuns: 60, endOnFailure: false },
    );
  });

  it('settle or release each message once when the partition is taken from them, and nothing afterwards', async () => {
    await fc.assert(
      fc.asyncProperty(run, fc.integer({ min: 0, max: 60 }), async (given, after) => {
        const checked = new Checked(given);
        const { broker } = checked;
        await broker.join();
        const delivered = checked.deliver();
        await turns(after);
        await broker.member.revoked([{ topic: 'orders.placed', number: 0 }]);
        const settled = [...broker.settled];
        await delivered;
        await turns(20);
        expect(broker.settled).toEqual(settled);
        const ended = [...broker.settled, ...broker.released];
        expect(new Set(ended).size).toBe(ended.length);
        expect(broker.member.state.inFlight).toBe(0);
        expect(checked.faults).toEqual([]);
        await broker.member.drain(AbortSignal.timeout(1_000));
      }),
      { numRuns: 60, endOnFailure: false },
    );
  });
});
