import { eventually } from '@core-infra/testing';
import type { AppInfo } from '@core-infra/kernel';
import { HandlerTimeoutError } from '../../src/errors.js';
import type { DeadLetter } from '../../src/index.js';
import type { Handler } from '../../src/handlers/handler.js';
import { MemoryLot } from './memory-lot.js';
import { quickConfig, Scripted, topic } from './member.js';

const quick = { attempts: 3, maxAgeMs: 60_000, firstDelayMs: 1, factor: 1, maxDelayMs: 1 };

interface Given {
  readonly handler?: Partial<Handler>;
  readonly environment?: string;
  readonly lot?: MemoryLot;
  readonly headers?: Record<string, string>;
}

/** The dead letter of a message whose handler always fails with this. */
async function letterOf(error: unknown, given: Given = {}): Promise<DeadLetter> {
  const { handler, environment = 'test', lot, headers = {} } = given;
  const config = quickConfig(({ retry }) => lot && (retry.parkAfterMs = 0));
  const broker = new Scripted([{ retry: quick, call: () => Promise.reject(error as Error), ...handler }], config, lot);
  (broker.hub.site.app as { environment: AppInfo['environment'] }).environment = environment as never;
  await broker.join();
  // What is not of interest stands before it.
  broker.deliver([{ headers: { ce_specversion: '1.0', ce_id: 'x', ce_source: '/s', ce_type: 'another' } }]);
  broker.deliver([
    {
      id: 'the-event',
      key: 'ä',
      headers: { ce_specversion: '1.0', ce_id: 'the-event', ce_source: '/s', ce_type: topic, ...headers },
      body: Buffer.from('{"at":1}'),
    },
  ]);
  await eventually(async () => expect(await broker.deadLetters.count({})).toBe(1));
  await eventually(() => expect(new Set(broker.settled)).toEqual(new Set([0, 1])));
  const [letter] = await broker.deadLetters.list({}, { limit: 9 });
  await broker.member.drain(AbortSignal.timeout(1_000));
  return letter!;
}

describe('a dead letter', () => {
  it.each([
    ['straight from the broker', undefined],
    ['out of the parking lot', new MemoryLot()],
  ])('says everything of a message that came %s', async (_what, lot) => {
    const before = Date.now();
    const error = Object.assign(new RangeError('no stock'), { code: 'E_STOCK' });
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const headers = { 'x-tenant': 'a', ce_traceparent: traceparent };
    const letter = await letterOf(error, { ...(lot && { lot }), headers });
    expect(letter).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      group: 'group',
      message: {
        id: 'the-event',
        topic,
        key: 'ä',
        headers: { ce_specversion: '1.0', ce_id: 'the-event', ce_source: '/s', ce_type: topic, ...headers },
        body: Buffer.from('{"at":1}'),
      },
      reason: 'attempts',
      error: {
        name: 'RangeError',
        message: 'no stock',
        code: 'E_STOCK',
        stack: expect.stringMatching(/^RangeError: no stock\n +at /),
      },
      partition: 0,
      position: 1,
      attempts: 3,
      firstAttemptAt: expect.any(Number),
      lastAttemptAt: expect.any(Number),
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
    expect(letter.firstAttemptAt).toBeGreaterThanOrEqual(before);
    expect(letter.lastAttemptAt).toBeGreaterThanOrEqual(letter.firstAttemptAt);
    expect(letter.lastAttemptAt).toBeLessThanOrEqual(Date.now());
  });

  it.each([
    ['development', true],
    ['test', true],
    ['production', false],
  ])('has the stack of its error in %s: %s', async (environment, has) => {
    const { error } = await letterOf(new Error('x'), { environment });
    expect('stack' in error).toBe(has);
  });

  it('has the code of our own errors, and no code where there is none', async () => {
    expect((await letterOf(new HandlerTimeoutError('x', 1))).error.code).toBe('INFRA_HANDLER_TIMEOUT');
    expect('code' in (await letterOf(new Error('x'))).error).toBe(false);
    expect((await letterOf(Object.assign(new Error('x'), { code: 23_505 }))).error.code).toBe('23505');
  });

  it('is no larger for an error that says very much', async () => {
    const error = new Error('x'.repeat(1_000_000));
    error.name = 'n'.repeat(1_000_000);
    const letter = await letterOf(error);
    expect(JSON.stringify(letter.error).length).toBeLessThan(20_000);
  });

  it.each(['', 'garbage', '00-XYZ-1-01', `00-${'0'.repeat(31)}-b7ad6b7169203331-01`])(
    'has no trace where there is none: %p',
    async ce_traceparent => {
      expect('traceId' in (await letterOf(new Error('x'), { headers: { ce_traceparent } }))).toBe(false);
    },
  );

  it('has the trace that a message of another system gives in its own header', async () => {
    const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    const { traceId } = await letterOf(new Error('x'), { headers: { traceparent } });
    expect(traceId).toBe('0af7651916cd43dd8448eb211c80319c');
  });

  it('gives age as the reason, once another attempt would be too late, though there may be more of them', async () => {
    const retry = { ...quick, attempts: 10_000, maxAgeMs: 40, firstDelayMs: 5, maxDelayMs: 5 };
    const { reason, attempts, firstAttemptAt, lastAttemptAt } = await letterOf(new Error('x'), { handler: { retry } });
    expect(reason).toBe('age');
    expect(attempts).toBeGreaterThan(1);
    expect(attempts).toBeLessThan(10_000);
    expect(lastAttemptAt - firstAttemptAt).toBeGreaterThanOrEqual(30);
  });

  it('gives age as the reason while a server is away, however often it was tried', async () => {
    const retry = { ...quick, attempts: 1, maxAgeMs: 40, firstDelayMs: 5, maxDelayMs: 5 };
    const error = Object.assign(new Error('x'), { code: 'ECONNREFUSED' });
    expect(await letterOf(error, { handler: { retry } })).toMatchObject({
      reason: 'age',
      error: { code: 'ECONNREFUSED' },
    });
  });
});
