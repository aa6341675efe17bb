import { join } from 'node:path';
import { NatsClient } from '@core-infra/nats';
import { type Child, eventually, runChild, uniqueName, useNats } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { inversions, type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats } from './fixtures/boot-nats.js';

jest.setTimeout(120_000);

const server = useNats();
const keys = 40;

interface Noted extends Step {
  readonly what: 'begun' | 'ended';
  readonly pid: number;
}

describe('processes of a group', () => {
  it('share its messages, lose none when one of them is killed, and keep the order of each key', async () => {
    const prefix = uniqueName('events').toLowerCase();
    await using app = await bootNats({ url: server.url, prefix });
    const client = app.get(NatsClient);
    const stream = uniqueName('noted');
    await client.topology({ streams: [{ name: stream, subjects: [stream] }] });
    await client.topology({ consumers: [{ stream, name: 'reader' }] });
    const noted: Noted[] = [];
    await using _reader = disposable(
      await client.consume(stream, 'reader', { maxInFlight: 1_000 }, message => {
        noted.push(JSON.parse(message.text()) as Noted);
        message.ack();
      }),
    );
    const args = [server.url, prefix, uniqueName('group'), stream];
    const start = async (): Promise<Child> => {
      const child = runChild(join(__dirname, 'fixtures/worker.main.ts'), { args });
      await child.waitForLine(/^ready$/);
      return child;
    };
    const [first, second] = await Promise.all([start(), start()]);
    const begun = (): Noted[] => noted.filter(({ what }) => what === 'begun');
    const begunBy = (pid: number): number => begun().filter(each => each.pid === pid).length;
    const bus = app.get(EventBus);
    const events = Array.from({ length: 3_000 }, (_, index) =>
      stepped.of({ key: `key-${index % keys}`, at: Math.floor(index / keys) }),
    );
    await bus.publishBatch(events.slice(0, 1_500));
    await eventually(() => expect(begunBy(first.pid)).toBeGreaterThan(100), { timeoutMs: 30_000 });
    await eventually(() => expect(begunBy(second.pid)).toBeGreaterThan(100), { timeoutMs: 30_000 });
    first.kill('SIGKILL');
    await first.exit;
    await bus.publishBatch(events.slice(1_500, 2_000));
    const third = await start();
    let published = 2_000;
    await eventually(
      async () => {
        await bus.publishBatch(events.slice(published, (published += published < 3_000 ? 20 : 0)));
        expect(begunBy(third.pid)).toBeGreaterThan(0);
      },
      { timeoutMs: 30_000, intervalMs: 200 },
    );
    if (published < 3_000) await bus.publishBatch(events.slice(published));
    await eventually(() => expect(new Set(begun().map(({ key, at }) => `${key} ${at}`)).size).toBe(3_000), {
      timeoutMs: 40_000,
    });
    expect(inversions(begun())).toEqual([]);
    expect(overlaps(noted.filter(({ pid }) => pid !== first.pid))).toEqual([]);
    // Only what the killed one had in hand may come twice: one message of each key at most was begun, and those it had just ended.
    expect(begun().length - 3_000).toBeLessThanOrEqual(2 * keys);
    third.kill();
    second.kill();
    await Promise.all([second.exit, third.exit]);
  });
});

function disposable(consumer: { cancel(): Promise<void> }): AsyncDisposable {
  return { [Symbol.asyncDispose]: () => consumer.cancel() };
}

/** Keys of which two messages were under way at once. */
function overlaps(notes: readonly Noted[]): string[] {
  const busy = new Map<string, number>();
  const found: string[] = [];
  for (const { what, key, at } of notes) {
    if (what === 'begun' && busy.has(key)) found.push(`${key}: ${at} during ${busy.get(key)}`);
    if (what === 'begun') busy.set(key, at);
    else busy.delete(key);
  }
  return found;
}
