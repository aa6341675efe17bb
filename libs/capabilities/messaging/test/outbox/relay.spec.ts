import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { InfraError, ErrorSpec } from '@core-infra/kernel';
import { eventually, usePostgres } from '@core-infra/testing';
import type { MessageDriver } from '../../src/index.js';
import { OUTBOX_GROUP } from '../../src/outbox/index.js';
import { bootRelay, messagesOf, type RelayApp } from './support/boot-relay.js';

const postgres = usePostgres();
let url: string;
beforeEach(async () => (url = await postgres.createDatabase()));

const rowsOf = async ({ dataSource }: RelayApp): Promise<number> =>
  (await dataSource.query<unknown[]>('SELECT 1 FROM messaging_outbox')).length;

/** A broker that takes everything. */
function sink(took: string[] = []): { took: string[]; publish: MessageDriver['publish'] } {
  return {
    took,
    publish: async messages => {
      await new Promise(resolve => setImmediate(resolve));
      took.push(...messages.map(({ key, body }) => `${key} ${body.toString()}`));
      return messages.map(() => undefined);
    },
  };
}

const inOrder = (took: readonly string[]): boolean => {
  const last = new Map<string, number>();
  return took.every(text => {
    const [key, at] = text.split(' ') as [string, string];
    const before = last.get(key) ?? -1;
    last.set(key, Number(at));
    return before < Number(at);
  });
};

@ErrorSpec({ code: 'SPEC_REFUSED', fault: 'client', summary: 'The broker does not want it.' })
class RefusedError extends InfraError {}

@ErrorSpec({ code: 'SPEC_MISSING_TOPIC', summary: 'There is no such topic.' })
class MissingTopicError extends InfraError {}

describe('relay', () => {
  jest.setTimeout(120_000);

  it('shares the work with others, every event published once and in order per key', async () => {
    const took: string[] = [];
    const byWhom = [0, 0, 0];
    const relays = await Promise.all(
      byWhom.map((_, who) =>
        bootRelay(
          url,
          async (messages, signal) => {
            byWhom[who]! += messages.length;
            await new Promise(resolve => setTimeout(resolve, 2));
            return sink(took).publish(messages, signal);
          },
          { batchSize: 50 },
        ),
      ),
    );
    await using stack = new AsyncDisposableStack();
    for (const each of relays) stack.use(each);
    const [first] = relays as [RelayApp, RelayApp, RelayApp];
    for (const { relay } of relays) relay.start();
    let written = 0;
    const write = async (): Promise<void> => {
      const messages = messagesOf(1_000, 40);
      await first.outbox.write(
        messages.map((message, at) => ({ ...message, body: Buffer.from(String(written + at)) })),
      );
      written += messages.length;
    };
    // They know of each other after some seconds; until then one may have been first each time.
    const everyoneAtWork = async (): Promise<void> => {
      await write();
      expect(byWhom.every(count => count > 0)).toBe(true);
    };
    await eventually(everyoneAtWork, { timeoutMs: 30_000 });
    await eventually(() => expect(took).toHaveLength(written), { timeoutMs: 60_000 });
    expect(inOrder(took)).toBe(true);
    await eventually(async () => expect(await rowsOf(first)).toBe(0));
  });

  it('takes over from one that hangs, once the server has ended its lease', async () => {
    let hung = 0;
    await using stack = new AsyncDisposableStack();
    const hangs = stack.use(
      await bootRelay(
        url,
        messages => {
          hung += messages.length;
          return new Promise(() => undefined);
        },
        { leaseMs: 400 },
      ),
    );
    await hangs.outbox.write(messagesOf(10, 3));
    hangs.relay.start();
    await eventually(() => expect(hung).toBeGreaterThan(0));
    const { took, publish } = sink();
    const other = stack.use(await bootRelay(url, publish, { leaseMs: 400 }));
    other.relay.start();
    await eventually(() => expect(took).toHaveLength(10));
    expect(inOrder(took)).toBe(true);
    await eventually(async () => expect(await rowsOf(other)).toBe(0));
  });

  it('keeps everything while the broker is away, says so, and goes on by itself', async () => {
    let away = true;
    const { took, publish } = sink();
    await using relay = await bootRelay(url, async (messages, signal) =>
      away
        ? messages.map(() => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }))
        : publish(messages, signal),
    );
    relay.relay.start();
    await relay.outbox.write(messagesOf(20, 3));
    await eventually(() => expect(relay.relay.trouble).toBe('connect ECONNREFUSED'));
    expect(await rowsOf(relay)).toBe(20);
    away = false;
    await eventually(() => expect(took).toHaveLength(20));
    expect(inOrder(took)).toBe(true);
    await eventually(() => expect(relay.relay.trouble).toBeUndefined());
  });

  it('makes a dead letter of what the broker refuses, which holds up its own key alone', async () => {
    const { took, publish } = sink();
    let tries = 0;
    await using relay = await bootRelay(
      url,
      async (messages, signal) => {
        const bad = messages.findIndex(({ body }) => body.toString() === '0');
        if (bad >= 0) tries += 1;
        const good = messages.filter((_, at) => at !== bad);
        await publish(good, signal);
        return messages.map((_, at) => (at === bad ? new RefusedError('Refused.') : undefined));
      },
      { attempts: 3 },
    );
    await relay.outbox.write(messagesOf(1, 1));
    relay.relay.start();
    await eventually(() => expect(tries).toBe(1));
    await relay.outbox.write(messagesOf(12, 4).slice(1));
    await eventually(() => expect(took).toHaveLength(11));
    expect(took.slice(-2)).toEqual(['key-0 4', 'key-0 8']);
    expect(tries).toBe(3);
    const letters = await relay.hub.deadLetters.list({}, { limit: 10 }, AbortSignal.timeout(1_000));
    expect(letters).toMatchObject([
      {
        group: OUTBOX_GROUP,
        reason: 'unpublishable',
        attempts: 3,
        error: { name: 'RefusedError', code: 'SPEC_REFUSED' },
      },
    ]);
    await eventually(async () => expect(await rowsOf(relay)).toBe(0));
  });

  it('writes one dead letter for what the broker refuses while it does not answer for the others', async () => {
    let isAway = true;
    let offered = 0;
    const { took, publish } = sink();
    await using relay = await bootRelay(
      url,
      async (messages, signal) => {
        const isBad = ({ body }: (typeof messages)[number]): boolean => body.toString() === '0';
        offered += messages.some(each => !isBad(each)) ? 1 : 0;
        if (!isAway)
          await publish(
            messages.filter(each => !isBad(each)),
            signal,
          );
        const away = (): Error | undefined =>
          isAway ? Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' }) : undefined;
        return messages.map(each => (isBad(each) ? new RefusedError('Refused.') : away()));
      },
      { attempts: 1 },
    );
    await relay.outbox.write(messagesOf(4, 4));
    relay.relay.start();
    await eventually(() => expect(offered).toBeGreaterThan(3));
    expect(await relay.hub.deadLetters.count({}, AbortSignal.timeout(1_000))).toBe(1);
    expect(await rowsOf(relay)).toBe(3);
    isAway = false;
    await eventually(() => expect(took).toHaveLength(3));
    await eventually(async () => expect(await rowsOf(relay)).toBe(0));
  });

  it('gives up none of a key but the first, though the broker refuses all behind it as well', async () => {
    const { took, publish } = sink();
    let tries = 0;
    await using relay = await bootRelay(
      url,
      async (messages, signal) => {
        const bad = messages.findIndex(({ body }) => body.toString() === '0');
        if (bad < 0) return publish(messages, signal);
        tries += 1;
        return messages.map(() => new RefusedError('Refused.'));
      },
      { attempts: 3 },
    );
    await relay.outbox.write(messagesOf(12, 1));
    relay.relay.start();
    await eventually(() => expect(took).toHaveLength(11));
    expect(tries).toBe(3);
    expect(inOrder(took)).toBe(true);
    const letters = await relay.hub.deadLetters.list({}, { limit: 20 }, AbortSignal.timeout(1_000));
    expect(letters.map(({ message }) => message.body.toString())).toEqual(['0']);
    await eventually(async () => expect(await rowsOf(relay)).toBe(0));
  });

  it('holds up nobody by events without a key that are refused, and offers them again after a pause', async () => {
    const { took, publish } = sink();
    let offered = 0;
    await using relay = await bootRelay(url, async (messages, signal) => {
      const results = await publish(
        messages.filter(({ key }) => key !== undefined),
        signal,
      );
      expect(results.every(error => error === undefined)).toBe(true);
      offered += messages.filter(({ key }) => key === undefined).length;
      return messages.map(({ key }) => (key === undefined ? new MissingTopicError('No such topic.') : undefined));
    });
    const [loose] = messagesOf(1, 1);
    await relay.outbox.write([{ ...loose!, key: undefined } as never]);
    relay.relay.start();
    for (let round = 0; round < 10; round += 1) await relay.outbox.write(messagesOf(5, 5));
    await eventually(() => expect(took).toHaveLength(50));
    await eventually(() => expect(offered).toBeGreaterThan(1));
    // Not with each of the ten wake-ups, but when its own time has come.
    expect(offered).toBeLessThan(8);
    expect(await rowsOf(relay)).toBe(1);
    expect(await relay.hub.deadLetters.count({}, AbortSignal.timeout(1_000))).toBe(0);
  });

  it('is less patient with what nobody receives than with what somebody has to mend', async () => {
    const offered = { unheard: 0, missing: 0 };
    class UnheardError extends MissingTopicError {}
    await using relay = await bootRelay(
      url,
      messages =>
        Promise.resolve(
          messages.map(({ key }) => {
            const isUnheard = key === 'key-0';
            offered[isUnheard ? 'unheard' : 'missing'] += 1;
            return isUnheard ? new UnheardError('Nobody.') : new MissingTopicError('No such topic.');
          }),
        ),
      { attempts: 1 },
    );
    Object.assign(relay.hub.driver, { isUnheard: (error: Error) => error instanceof UnheardError });
    await relay.outbox.write(messagesOf(2, 2));
    relay.relay.start();
    const letters = () => relay.hub.deadLetters.list({}, { limit: 5 }, AbortSignal.timeout(1_000));
    await eventually(async () => expect(await letters()).toMatchObject([{ message: { key: 'key-0' }, attempts: 4 }]));
    expect(offered.unheard).toBe(4);
    expect(offered.missing).toBeLessThan(20);
    expect(await rowsOf(relay)).toBe(1);
  });

  it('asks the database nothing while there is nothing to do', async () => {
    const { took, publish } = sink();
    await using relay = await bootRelay(url, publish);
    relay.relay.start();
    await relay.outbox.write(messagesOf(1, 1));
    await eventually(() => expect(took).toHaveLength(1));
    await eventually(() => expect(relay.relay.isListening).toBe(true));
    await new Promise(resolve => setTimeout(resolve, 300));
    let statements = 0;
    const count = (): void => void (statements += 1);
    subscribe('tracing:infra:database:start', count);
    try {
      await new Promise(resolve => setTimeout(resolve, 3_000));
    } finally {
      unsubscribe('tracing:infra:database:start', count);
    }
    expect(statements).toBeLessThanOrEqual(1);
  });

  it('is woken by what another process writes', async () => {
    const { took, publish } = sink();
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await bootRelay(url, publish, { pollMs: 3_600_000 }));
    const writer = stack.use(await bootRelay(url, publish));
    relay.relay.start();
    await eventually(() => expect(relay.relay.isListening).toBe(true));
    await writer.outbox.write(messagesOf(3, 1));
    await eventually(() => expect(took).toHaveLength(3));
  });

  it('polls where it may not listen', async () => {
    const { took, publish } = sink();
    await using stack = new AsyncDisposableStack();
    const relay = stack.use(await bootRelay(url, publish, { pollMs: 50, listen: false }));
    const writer = stack.use(await bootRelay(url, publish, { listen: false }));
    relay.relay.start();
    await writer.outbox.write(messagesOf(3, 1));
    await eventually(() => expect(took).toHaveLength(3));
  });
});
