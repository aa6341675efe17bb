import { Clock } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import type { MessageContext, ParkingLot } from '../../src/index.js';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted } from './member.js';

const retry = { attempts: 1_000, maxAgeMs: 100_000, firstDelayMs: 1, factor: 1, maxDelayMs: 1 };
const startedAt = Date.now();

/** A member whose clock the spec sets. */
function member(
  call: (context: MessageContext, pass: (ms: number) => void) => Promise<void>,
  lot?: ParkingLot,
): Scripted {
  let passed = 0;
  const config = quickConfig(given => (given.retry.parkAfterMs = 0));
  const handler = {
    retry,
    call: (_data: unknown, context: MessageContext) => call(context, ms => void (passed += ms)),
  };
  const broker = new Scripted([handler], config, lot);
  const clock = { now: () => startedAt + passed, monotonic: () => Clock.system.monotonic() };
  (broker.hub.site as { clock: Clock }).clock = clock as Clock;
  return broker;
}

describe.each([
  ['in hand', () => undefined],
  ['in the parking lot', () => new MemoryLot()],
])('a message that waits behind another %s', (_where, lotOf) => {
  it('grows no older by that: its age counts from its own first attempt', async () => {
    const seen: string[] = [];
    const failed = new Set<string>();
    const broker = member(async ({ message: { id } }, pass) => {
      // The first of the key takes two attempts, and its second takes longer than any message may be tried.
      if (id === 'first' && failed.has(id)) pass(2 * retry.maxAgeMs);
      if (!failed.has(id)) {
        failed.add(id);
        throw new Error('once');
      }
      seen.push(id);
    }, lotOf());
    await broker.join();
    broker.deliver([
      { id: 'first', key: 'a' },
      { id: 'second', key: 'a' },
    ]);
    await eventually(() => expect(seen).toEqual(['first', 'second']));
    expect(await broker.deadLetters.count({})).toBe(0);
  });

  it('dies of its age all the same, over all of its attempts', async () => {
    let isFirstDone = false;
    const broker = member(async ({ message: { id } }, pass) => {
      if (id === 'first' && isFirstDone) return;
      isFirstDone ||= id === 'first';
      pass(30_000);
      throw new Error('again and again');
    }, lotOf());
    await broker.join();
    broker.deliver([
      { id: 'first', key: 'a' },
      { id: 'second', key: 'a' },
    ]);
    await eventually(async () => expect(await broker.deadLetters.count({})).toBe(1));
    const [letter] = await broker.deadLetters.list({}, { limit: 9 });
    expect(letter).toMatchObject({ reason: 'age', attempts: 4, message: { id: 'second' } });
    expect(letter!.lastAttemptAt - letter!.firstAttemptAt).toBe(120_000);
  });
});
