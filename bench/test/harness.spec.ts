import type { BenchCase } from '../harness/bench-case.js';
import { consuming } from '../harness/counted.js';
import { judge } from '../harness/goal.js';
import { parseOptions, UsageError } from '../harness/options.js';
import { type Report, table, toMarkdown } from '../harness/report.js';
import { type CaseResult, runCase } from '../harness/run-case.js';
import { median, paired, percentile, rotated, spreadOf } from '../harness/statistics.js';

const effort = { quick: true, folder: '/nowhere' };
const progress = () => {};

/** A case whose variants measure what is listed, one value for each round. */
function listed(values: Record<string, number[]>, extra: Partial<BenchCase> = {}) {
  const order: string[] = [];
  let closed = 0;
  const bench: BenchCase = {
    name: 'listed',
    about: 'Listed values.',
    rounds: 3,
    metrics: [{ key: 'ms', label: 'Time', unit: 'ms' }],
    goals: [],
    open: async () => ({
      variants: Object.entries(values).map(([name, list]) => {
        const left = [...list];
        return {
          name,
          measure: async () => {
            order.push(name);
            return { ms: left.shift()! };
          },
        };
      }),
      close: async () => void (closed += 1),
    }),
    ...extra,
  };
  return { bench, order, closed: () => closed };
}

describe('statistics', () => {
  it('takes the middle value, or the mean of the two in the middle', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 2, 4, 1])).toBe(3);
    expect(() => median([])).toThrow(RangeError);
    expect(spreadOf([3, 1, 20])).toEqual({ median: 3, min: 1, max: 20 });
  });

  it('takes percentiles by nearest rank, in numerical order', () => {
    const values = Array.from({ length: 100 }, (_, at) => 100 - at);
    expect(percentile(values, 0.99)).toBe(99);
    expect(percentile(values, 0.5)).toBe(50);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('compares round by round, not median by median', () => {
    // The machine was ten times slower in the second round.
    expect(paired([2, 20, 2], [1, 10, 1], (a, b) => a / b)).toEqual({ median: 2, min: 2, max: 2 });
  });

  it('rotates', () => {
    expect([0, 1, 2, 3].map(by => rotated(['a', 'b', 'c'], by).join(''))).toEqual(['abc', 'bca', 'cab', 'abc']);
  });
});

describe('a case', () => {
  it('runs every variant in each round, beginning with another one each time', async () => {
    const { bench, order, closed } = listed({ a: [1, 2, 3], b: [4, 5, 6] });
    const result = await runCase(bench, { rounds: 3, effort, progress });
    expect(order).toEqual(['a', 'b', 'b', 'a', 'a', 'b']);
    expect(result.variants).toEqual([
      { name: 'a', samples: [{ ms: 1 }, { ms: 2 }, { ms: 3 }] },
      { name: 'b', samples: [{ ms: 4 }, { ms: 5 }, { ms: 6 }] },
    ]);
    expect(closed()).toBe(1);
  });

  it('is closed when a variant fails, and when it is stopped', async () => {
    let closed = 0;
    const failing = listed(
      {},
      {
        open: async () => ({
          variants: [{ name: 'a', measure: () => Promise.reject(new Error('no answer')) }],
          close: async () => void (closed += 1),
        }),
      },
    );
    await expect(runCase(failing.bench, { rounds: 1, effort, progress })).rejects.toThrow('no answer');
    expect(closed).toBe(1);
    const stopped = listed({ a: [1] });
    const signal = AbortSignal.abort(new Error('stopped'));
    await expect(runCase(stopped.bench, { rounds: 1, effort, progress, signal })).rejects.toThrow('stopped');
    expect(stopped.order).toEqual([]);
    expect(stopped.closed()).toBe(1);
  });
});

describe('a goal', () => {
  const values = (variant: string) => ({ ours: [12, 13, 30], theirs: [10, 10, 10] })[variant]!;

  it('is met or missed by the median', () => {
    const ratio = { metric: 'ms', variant: 'ours', against: { variant: 'theirs', as: 'ratio' } } as const;
    expect(judge({ ...ratio, atMost: 1.3 }, values)).toMatchObject({ met: true, measured: { median: 1.3, max: 3 } });
    expect(judge({ ...ratio, atMost: 1.25 }, values).met).toBe(false);
    expect(judge({ ...ratio, atLeast: 1.4 }, values).met).toBe(false);
    const difference = { metric: 'ms', variant: 'ours', against: { variant: 'theirs', as: 'difference' } } as const;
    expect(judge({ ...difference, atMost: 3 }, values)).toMatchObject({ met: true, measured: { median: 3 } });
    expect(judge({ metric: 'ms', variant: 'ours', atMost: 12 }, values)).toMatchObject({ met: false });
  });
});

const reportOf = (result: CaseResult): Report => ({
  machine: {
    date: '2030-01-01T00:00:00.000Z',
    commit: 'abc1234',
    cpu: 'Some CPU',
    cores: 2,
    memoryGiB: 8,
    os: 'Linux 6.1.0',
    node: '24.0.0',
    packages: { pino: '10.0.0' },
    loadBefore: 0.1,
  },
  command: 'npm run bench',
  quick: false,
  cases: [result],
});

describe('the report', () => {
  it('has no table of goals where there are none', async () => {
    const { bench } = listed({ ours: [1, 3, 2] });
    const text = toMarkdown(reportOf(await runCase(bench, { rounds: 3, effort, progress })));
    expect(text).toMatch(/\| ours +\| 2\.0 \(1\.0–3\.0\) \|$/);
    expect(text).not.toContain('| Goal');
  });

  it('shows values, goals and what was missed as Markdown', async () => {
    const { bench } = listed(
      { ours: [1, 3, 2], theirs: [2, 2, 2] },
      {
        goals: [
          { metric: 'ms', variant: 'ours', against: { variant: 'theirs', as: 'ratio' }, atMost: 1.25 },
          { metric: 'ms', variant: 'ours', against: { variant: 'theirs', as: 'difference' }, atMost: -1 },
        ],
      },
    );
    const report = reportOf(await runCase(bench, { rounds: 3, effort, progress }));
    expect(toMarkdown(report)).toBe(
      `\`npm run bench\`, 2030-01-01T00:00:00.000Z, commit abc1234

2 cores of Some CPU, 8 GiB, Linux 6.1.0, load 0.1 before the run

Node 24.0.0, pino 10.0.0

### listed

Listed values. 3 rounds: median (least–most).

| Variant | Time, ms      |
| ------- | ------------- |
| ours    | 2.0 (1.0–3.0) |
| theirs  | 2.0 (2.0–2.0) |

| Goal                           | Measured          |            |
| ------------------------------ | ----------------- | ---------- |
| Time: ours ≤ 1.25× theirs      | 1.00 (0.50–1.50)× | met        |
| Time: ours ≤ -1 ms over theirs | 0.0 (-1.0–1.0) ms | **missed** |`,
    );
  });

  it('leaves the cell of what a variant does not measure empty', () => {
    expect(table(['A', 'Long heading'], [['x', '']])).toBe(
      ['| A   | Long heading |', '| --- | ------------ |', '| x   |              |'].join('\n'),
    );
  });
});

describe('the command line', () => {
  it('reads cases and options', () => {
    expect(parseOptions(['boot', '--json', 'out.json', '--rounds', '2'], ['boot', 'health'])).toEqual({
      cases: ['boot'],
      json: 'out.json',
      rounds: 2,
      quick: false,
      help: false,
    });
    expect(parseOptions(['--quick'], ['boot'])).toMatchObject({ cases: [], quick: true, rounds: 3 });
  });

  it.each([
    [['speed'], /No such case: speed. There are: boot/],
    [['--rounds', '0'], /--rounds/],
    [['--rounds', 'many'], /--rounds/],
    [['--fast'], /--fast/],
  ])('refuses %j', (args, message) => {
    const parse = () => parseOptions(args, ['boot']);
    expect(parse).toThrow(UsageError);
    expect(parse).toThrow(message);
  });
});

describe('reading', () => {
  const fill = (): Promise<unknown> => Promise.resolve();

  it('is timed until all were seen, even before it has begun, and ended', async () => {
    const ended = jest.fn(async () => undefined);
    const variant = consuming('reader', 3, fill, async seen => {
      for (let at = 0; at < 3; at += 1) seen();
      return ended;
    });
    const { perSecond, cpuUs } = await variant.measure();
    expect(perSecond).toBeGreaterThan(0);
    expect(cpuUs).toBeGreaterThanOrEqual(0);
    expect(ended).toHaveBeenCalledTimes(1);
  });

  it('that sees nothing any more is given up, and ended', async () => {
    const ended = jest.fn(async () => undefined);
    const start = async (seen: () => void) => (seen(), ended);
    await expect(consuming('reader', 3, fill, start, 20).measure()).rejects.toThrow(
      'reader: 1 of 3 events were handled, and none in the last 20 ms.',
    );
    expect(ended).toHaveBeenCalledTimes(1);
  });
});
