import { eventually } from '@core-infra/testing';
import { BatchResult, type MessageContext } from '../../src/index.js';
import type { Handler } from '../../src/handlers/handler.js';
import { quickConfig, Scripted } from './member.js';

const batch = { size: 10, waitMs: 1 };
const idsOf = ({ messages }: MessageContext): string[] => messages.map(({ id }) => id);

/** Which keys and ids there are: `a1`, `a2`, `b1`. */
const deliver = (broker: Scripted, ids: readonly string[]): void =>
  broker.deliver(ids.map(id => ({ id, key: id[0]!, body: Buffer.from(`"${id}"`) })));

async function handled(handler: Partial<Handler>, ids: readonly string[], inbox?: 'transactional' | 'marks') {
  const broker = new Scripted([{ batch, ...handler }], quickConfig());
  const recorded = new Set<string>();
  if (inbox)
    broker.hub.stores.inbox = {
      isTransactional: inbox === 'transactional',
      once: async (_group, given, work) => {
        const fresh = given.flatMap((id, at) => (recorded.has(id) ? [] : [at]));
        const failed = fresh.length > 0 ? await work(fresh) : [];
        for (const at of fresh) if (!failed.includes(at)) recorded.add(given[at]!);
        return given.flatMap((_id, at) => (fresh.includes(at) ? [] : [at]));
      },
    };
  await broker.join();
  deliver(broker, ids);
  await eventually(() => expect(broker.member.state.inFlight).toBe(0));
  return broker;
}

describe('a batch of which one has failed', () => {
  const failingOnce = (bad: string, seen: string[][]): Partial<Handler> => {
    let failures = 1;
    return {
      call: async (_data, context) => {
        const ids = idsOf(context);
        seen.push(ids);
        const at = ids.indexOf(bad);
        return at >= 0 && failures-- > 0 ? BatchResult.failed([[at, new Error('once')]]) : undefined;
      },
    };
  };

  it('does not count as done what is behind it of its key: that comes again, after it', async () => {
    const seen: string[][] = [];
    const broker = await handled(failingOnce('a2', seen), ['a1', 'a2', 'a3', 'b1', 'a4', 'b2']);
    expect(seen[0]!.toSorted()).toEqual(['a1', 'a2', 'a3', 'a4', 'b1', 'b2']);
    expect(seen.slice(1)).toEqual([['a2'], ['a3', 'a4']]);
    // b is done, and so is what was before it of its key.
    expect(new Set(broker.settled.slice(0, 3))).toEqual(new Set([0, 3, 5]));
    expect(broker.settled.slice(3)).toEqual([1, 2, 4]);
  });

  it('goes on at once with what is behind one that is a dead letter', async () => {
    const seen: string[][] = [];
    const call = async (_data: unknown, context: MessageContext): Promise<BatchResult> => {
      seen.push(idsOf(context));
      return BatchResult.failed([[0, new Error('never')]]);
    };
    const retry = { attempts: 1, maxAgeMs: 60_000, firstDelayMs: 1, factor: 1, maxDelayMs: 1 };
    const broker = await handled({ call, retry }, ['a1', 'a2']);
    expect(seen).toEqual([['a1', 'a2']]);
    expect(await broker.deadLetters.list({}, { limit: 9 })).toMatchObject([{ attempts: 1, message: { id: 'a1' } }]);
  });

  it('counts no attempt of what was only behind', async () => {
    const tries = new Map<string, number>();
    const call = async (_data: unknown, context: MessageContext): Promise<BatchResult> => {
      const ids = idsOf(context);
      for (const id of ids) tries.set(id, Math.max(tries.get(id) ?? 0, context.attempt));
      // A handler that names the rest of the key as well.
      const bad = ids.indexOf('a1');
      return BatchResult.failed(bad < 0 ? [] : ids.map((id, at) => [at, new Error(id)] as const));
    };
    const broker = await handled({ call }, ['a1', 'a2', 'a3']);
    expect([...tries]).toEqual([
      ['a1', 3],
      ['a2', 1],
      ['a3', 1],
    ]);
    expect(await broker.deadLetters.count({})).toBe(1);
  });

  it('is done but for that one where order is not asked for', async () => {
    const seen: string[][] = [];
    await handled({ ...failingOnce('a1', seen), mode: 'fast' }, ['a1', 'a2', 'a3']);
    expect(seen).toEqual([['a1', 'a2', 'a3'], ['a1']]);
  });

  it('is undone with an inbox in its transaction where what is behind was done, and tried one by one, in order', async () => {
    const seen: string[][] = [];
    await handled(failingOnce('a2', seen), ['a1', 'a2', 'a3', 'b1'], 'transactional');
    expect(seen[0]).toHaveLength(4);
    const after = seen.slice(1);
    expect(after.every(ids => ids.length === 1)).toBe(true);
    const ofA = after.flat().filter(id => id.startsWith('a'));
    expect(ofA).toEqual(['a1', 'a2', 'a3']);
  });

  it('does not record with other inboxes what is behind', async () => {
    const seen: string[][] = [];
    await handled(failingOnce('a2', seen), ['a1', 'a2', 'a3', 'b1'], 'marks');
    expect(seen.slice(1)).toEqual([['a2'], ['a3']]);
  });

  it('is kept with an inbox where nothing behind it is said to be done', async () => {
    const seen: string[][] = [];
    await handled(failingOnce('a3', seen), ['a1', 'a2', 'a3', 'b1'], 'transactional');
    expect(seen.slice(1)).toEqual([['a3']]);
  });

  it('is not shared by one that fails for itself: that is tried apart from then on', async () => {
    const seen: string[][] = [];
    let failures = 2;
    const call = async (_data: unknown, context: MessageContext): Promise<BatchResult | undefined> => {
      const ids = idsOf(context);
      seen.push(ids);
      const at = ids.indexOf('a1');
      return at >= 0 && failures-- > 0 ? BatchResult.failed([[at, new Error('bad')]]) : undefined;
    };
    const broker = await handled({ call }, ['a1', 'b1']);
    deliver(broker, ['a2', 'b2', 'c1']);
    await eventually(() => expect(broker.settled).toHaveLength(5));
    expect(seen.slice(0, 3)).toEqual([['a1', 'b1'], ['a1'], ['a1']]);
    expect(seen.slice(3)).toEqual([['a2', 'b2', 'c1']]);
  });
});
