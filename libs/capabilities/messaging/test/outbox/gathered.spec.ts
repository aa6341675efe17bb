import { Gathered } from '../../src/outbox/stores/gathered.js';

/** Writes when it is told to. */
class Slow {
  readonly written: string[][] = [];
  private readonly going: (() => void)[] = [];

  readonly write = async (items: readonly string[]): Promise<void> => {
    this.written.push([...items]);
    await new Promise<void>(resolve => this.going.push(resolve));
    if (items.includes('poison')) throw new Error('cannot be written');
  };

  /** Ends writes one after another, as long as there are any. */
  async end(): Promise<void> {
    for (let quiet = 0; quiet < 5; quiet += 1) {
      const next = this.going.shift();
      if (next) quiet = 0;
      next?.();
      await new Promise(resolve => setImmediate(resolve));
    }
  }
}

const gathered = (slow: Slow): Gathered<string> =>
  new Gathered(slow.write, item => item.length, { items: 4, bytes: 30 });

describe('what is parked at once', () => {
  it('is written at once, and together what comes meanwhile, in its order and within its bounds', async () => {
    const slow = new Slow();
    const all = gathered(slow);
    const calls = [['a'], ['b', 'c'], ['d'], ['e'], ['f'], ['x'.repeat(40)], ['g']].map(items => all.add(items));
    await slow.end();
    await Promise.all(calls);
    expect(slow.written).toEqual([['a'], ['b', 'c', 'd', 'e'], ['f', 'x'.repeat(40)], ['g']]);
    const later = all.add(['h']);
    await slow.end();
    await later;
    expect(slow.written.at(-1)).toEqual(['h']);
  });

  it('fails alone, and only with its own reason', async () => {
    const slow = new Slow();
    const all = gathered(slow);
    const calls = [['a'], ['b'], ['poison'], ['c']].map(items =>
      all.add(items).then(
        () => 'written',
        (error: unknown) => String(error),
      ),
    );
    await slow.end();
    expect(await Promise.all(calls)).toEqual(['written', 'written', 'Error: cannot be written', 'written']);
    expect(slow.written).toEqual([['a'], ['b', 'poison', 'c'], ['b'], ['poison'], ['c']]);
  });
});
