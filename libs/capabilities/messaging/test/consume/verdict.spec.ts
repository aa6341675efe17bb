import { classify, ErrorSpec, InfraError } from '@core-infra/kernel';
import { BadRequestException, HttpException } from '@nestjs/common';
import fc from 'fast-check';
import { hintsOf, type Verdict, verdictOf } from '../../src/consume/verdict.js';
import type { Handler } from '../../src/handlers/handler.js';
import { handlerWith } from './member.js';

@ErrorSpec({ code: 'INFRA_SPEC_BUSY', fault: 'dependency', retryable: true, summary: 'Only of this spec.' })
class Busy extends InfraError {
  constructor(readonly retryAfterMs: number) {
    super('busy', 'come later');
  }
}

const retry = { attempts: 10, maxAgeMs: 1e12, firstDelayMs: 500, factor: 2, maxDelayMs: 60_000 };

interface Given {
  readonly attempts?: number;
  readonly error?: unknown;
  readonly firstAttemptAt?: number;
  readonly now?: number;
  readonly handler?: Partial<Handler>;
  readonly message?: object;
}

function verdict({
  attempts = 1,
  error = new Error('x'),
  firstAttemptAt = 0,
  now = 0,
  handler,
  message,
}: Given = {}): Verdict {
  const work = { message: { key: 'k', ...message }, bytes: 1, attempts, firstAttemptAt };
  return verdictOf(
    work as never,
    handlerWith({ retry, ...handler }),
    { error },
    now,
    hintsOf(error, given => classify(given)),
  );
}

const delays = (given: Given, count = 2_000): number[] =>
  Array.from({ length: count }, () => {
    const got = verdict(given);
    if ('dead' in got) throw new Error(got.dead);
    return got.delayMs;
  });

describe('the pause before the next attempt', () => {
  it('is drawn evenly from 0 to a bound that doubles with each attempt, and grows no more from the longest on', () => {
    for (const [attempts, bound] of [
      [1, 500],
      [2, 1_000],
      [5, 8_000],
      [8, 60_000],
      [9, 60_000],
    ] as const) {
      const drawn = delays({ attempts });
      expect(Math.min(...drawn)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...drawn)).toBeLessThanOrEqual(bound);
      // Each tenth of the range is drawn about as often: of 2,000, far from it by chance once in many million runs.
      for (let tenth = 0; tenth < 10; tenth += 1) {
        const inside = drawn.filter(delay => delay >= (bound * tenth) / 10 && delay < (bound * (tenth + 1)) / 10);
        expect(inside.length).toBeGreaterThan(100);
        expect(inside.length).toBeLessThan(300);
      }
    }
  });

  it('is never negative, never above the bound, and a number, whatever is configured', () => {
    const options = fc.record({
      attempts: fc.constant(10_000),
      maxAgeMs: fc.constant(Number.MAX_SAFE_INTEGER),
      firstDelayMs: fc.integer({ min: 0, max: 86_400_000 }),
      factor: fc.double({ min: 1, max: 10, noNaN: true }),
      maxDelayMs: fc.integer({ min: 0, max: 86_400_000 }),
    });
    fc.assert(
      fc.property(options, fc.integer({ min: 1, max: 9_999 }), (given, attempts) => {
        const [delay] = delays({ attempts, handler: { retry: given } }, 1);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(given.maxDelayMs);
      }),
    );
  });

  it.each([
    ['an error of ours', new Busy(7_000)],
    ['any error', Object.assign(new Error('x'), { retryAfterMs: 7_000 })],
    ['what has caused it', new Error('x', { cause: new Busy(7_000) })],
    ['an HttpException', Object.assign(new HttpException('busy', 503), { retryAfterMs: 7_000 })],
  ])('is at least what %s says, and not the same for all that were told the same', (_what, error) => {
    const drawn = delays({ error }, 200);
    expect(Math.min(...drawn)).toBeGreaterThanOrEqual(7_000);
    expect(Math.max(...drawn)).toBeLessThanOrEqual(7_500);
    expect(new Set(drawn).size).toBeGreaterThan(100);
  });

  it.each([Number.NaN, -5, Infinity, '7000', null])('does not go by a time that is none: %p', retryAfterMs => {
    expect(Math.max(...delays({ error: Object.assign(new Error('x'), { retryAfterMs }) }, 50))).toBeLessThanOrEqual(
      500,
    );
  });
});

describe('a message is dead', () => {
  it('after its last attempt, and not before', () => {
    expect(verdict({ attempts: 9 })).toMatchObject({ mode: 'ordered' });
    expect(verdict({ attempts: 10 })).toEqual({ dead: 'attempts' });
  });

  it('when its next attempt would be too late', () => {
    const handler = { retry: { ...retry, maxAgeMs: 10_000, firstDelayMs: 0 } };
    expect(verdict({ handler, firstAttemptAt: 1_000, now: 11_000 })).toMatchObject({ delayMs: 0 });
    expect(verdict({ handler, firstAttemptAt: 1_000, now: 11_001 })).toEqual({ dead: 'age' });
    expect(verdict({ handler, error: new Busy(10_001) })).toEqual({ dead: 'age' });
  });

  it('by its age alone while a server is away', () => {
    const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(verdict({ error, attempts: 500 })).toMatchObject({ mode: 'ordered' });
    const handler = { retry: { ...retry, maxAgeMs: 10 } };
    expect(verdict({ error, handler, now: 11 })).toEqual({ dead: 'age' });
  });

  it('at once when another attempt cannot help, unless the handler knows better', () => {
    const error = new BadRequestException();
    expect(verdict({ error })).toEqual({ dead: 'not-retryable' });
    expect(verdict({ error, handler: { retry: { ...retry, retryable: () => true } } })).toMatchObject({
      mode: 'ordered',
    });
    const never = { retry: { ...retry, retryable: () => false } };
    expect(verdict({ handler: never })).toEqual({ dead: 'not-retryable' });
    const leaves = { retry: { ...retry, retryable: () => undefined } };
    expect([verdict({ error, handler: leaves }), verdict({ handler: leaves })]).toMatchObject([
      { dead: 'not-retryable' },
      { mode: 'ordered' },
    ]);
  });
});

describe('a message waits', () => {
  it.each([
    ['with its key', {}, { mode: 'auto' }, 'ordered'],
    ['with its key, as it is told to', {}, { mode: 'ordered' }, 'ordered'],
    ['alone, as it is told to', {}, { mode: 'fast' }, 'fast'],
    ['alone, without a key', { key: undefined }, { mode: 'auto' }, 'fast'],
    ['alone, without a key, whatever it is told', { key: undefined }, { mode: 'ordered' }, 'fast'],
    ['alone, when it came to this group alone', { redelivered: true }, { mode: 'auto' }, 'fast'],
  ] as [string, object, Partial<Handler>, string][])('%s', (_what, message, handler, mode) => {
    expect(verdict({ message, handler })).toMatchObject({ mode });
  });
});
