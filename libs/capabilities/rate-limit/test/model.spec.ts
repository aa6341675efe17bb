import { Global, Module } from '@nestjs/common';
import { Clock } from '@core-infra/kernel';
import { luaScript, RedisClient, RedisModule } from '@core-infra/redis';
import { bootInfra, uniqueName, useRedis, useRedisCluster } from '@core-infra/testing';
import { type LimitRule, type LimitWindow, RateLimiter, RateLimitModule } from '@core-infra/rate-limit';
import fc from 'fast-check';
import { gcraAnswers, gcraArguments, gcraLua } from '../src/gcra/gcra.lua.js';
import { checkLimitRule } from '../src/gcra/limit-rule.js';
import { GcraModel } from './support/gcra.model.js';

/** What a driver and the model are both told, and what the driver said: when it decided, how long to wait, what remains. */
interface Subject {
  consume(rule: LimitRule, key: string, cost: number): Promise<{ nowMs: number; waitMs: number; remaining: number[] }>;
  reset(rule: LimitRule, key: string): Promise<void>;
  pass(ms: number): Promise<void>;
}

interface Models {
  readonly rule: LimitRule;
  readonly gcra: GcraModel;
}

class Consume implements fc.AsyncCommand<Models, Subject> {
  constructor(
    private readonly key: string,
    private readonly cost: number,
  ) {}
  check = ({ rule }: Readonly<Models>) => rule.windows.every(({ limit }) => this.cost <= limit);
  async run({ rule, gcra }: Models, subject: Subject): Promise<void> {
    const { nowMs, ...said } = await subject.consume(rule, this.key, this.cost);
    expect(said).toEqual(gcra.consume(rule, this.key, this.cost, nowMs));
  }
  toString = () => `consume(${this.key}, ${this.cost})`;
}

class Reset implements fc.AsyncCommand<Models, Subject> {
  constructor(private readonly key: string) {}
  check = () => true;
  async run({ rule, gcra }: Models, subject: Subject): Promise<void> {
    gcra.reset(this.key);
    await subject.reset(rule, this.key);
  }
  toString = () => `reset(${this.key})`;
}

class Pass implements fc.AsyncCommand<Models, Subject> {
  constructor(private readonly ms: number) {}
  check = () => true;
  run = (_models: Models, subject: Subject) => subject.pass(this.ms);
  toString = () => `pass(${this.ms} ms)`;
}

const keys = fc.constantFrom('ann', 'ben');

/** Rules with one to three windows of different lengths. */
function rules(longestMs: number): fc.Arbitrary<LimitWindow[]> {
  const window = fc.record({
    limit: fc.integer({ min: 1, max: 13 }),
    windowMs: fc.integer({ min: 1, max: longestMs }),
  });
  return fc.uniqueArray(window, { minLength: 1, maxLength: 3, selector: ({ windowMs }) => windowMs });
}

function commands(longestPauseMs: number): fc.Arbitrary<Iterable<fc.AsyncCommand<Models, Subject>>> {
  return fc.commands(
    [
      fc.tuple(keys, fc.integer({ min: 0, max: 5 })).map(([key, cost]) => new Consume(key, cost)),
      keys.map(key => new Consume(key, 1)),
      fc.integer({ min: 1, max: longestPauseMs }).map(ms => new Pass(ms)),
      keys.map(key => new Reset(key)),
    ],
    { maxCommands: 60, size: 'max' },
  );
}

async function expectAgreement(longestMs: number, numRuns: number, subjectOf: () => Subject): Promise<void> {
  await fc.assert(
    fc.asyncProperty(rules(longestMs), commands(Math.ceil(longestMs / 4)), async (windows, run) => {
      const rule = { name: uniqueName('model'), windows };
      await fc.asyncModelRun(() => ({ model: { rule, gcra: new GcraModel() }, real: subjectOf() }), run);
    }),
    { numRuns },
  );
}

describe('the memory driver agrees with virtual scheduling', () => {
  let now = 0;
  @Global()
  @Module({
    providers: [{ provide: Clock, useValue: { now: () => now, monotonic: () => now } }],
    exports: [Clock],
  })
  class FakeTime {}

  it.each([
    ['milliseconds', 20],
    ['minutes', 100_000],
    ['days', 86_400_000],
  ])('over windows of %s', async (_what, longestMs) => {
    await using app = await bootInfra(FakeTime, RateLimitModule.forRoot());
    const limiter = app.get(RateLimiter);
    await expectAgreement(longestMs, 300, () => ({
      consume: async (rule, key, cost) => {
        const { retryAfterMs, windows } = await limiter.consume(rule, key, { cost });
        return { nowMs: now, waitMs: retryAfterMs, remaining: windows.map(({ remaining }) => remaining) };
      },
      reset: (rule, key) => limiter.reset(rule, key),
      pass: ms => {
        now += ms;
        return Promise.resolve();
      },
    }));
  });
});

const script = luaScript<number[]>({ name: 'rate-limit', keys: 1, source: gcraLua });

/** The script itself, as it says when it decided. */
function scriptOn(client: RedisClient): Subject {
  const keyOf = (rule: LimitRule, key: string) => `${rule.name}:{${key}}`;
  return {
    consume: async (given, key, cost) => {
      const rule = checkLimitRule(given);
      const reply = await script.run(client, [keyOf(rule, key)], gcraArguments(rule, [cost]));
      const [{ waitMs, levels }] = gcraAnswers(rule, reply) as [ReturnType<typeof gcraAnswers>[number]];
      const remaining = rule.windows.map(({ limit, windowMs }, at) =>
        Math.floor((limit * windowMs - levels[at]!) / windowMs),
      );
      return { nowMs: reply[0]!, waitMs, remaining };
    },
    reset: async (rule, key) => void (await client.del(keyOf(rule, key))),
    pass: ms => new Promise(done => setTimeout(done, ms)),
  };
}

describe('the script agrees with virtual scheduling', () => {
  const redis = useRedis();
  it('on one server', async () => {
    await using app = await bootInfra(RedisModule.forRoot({ url: redis.url, startup: 'require' }));
    const client = app.get(RedisClient);
    await expectAgreement(60, 30, () => scriptOn(client));
  });
});

describe('the script agrees with virtual scheduling', () => {
  const cluster = useRedisCluster();
  it('on a cluster', async () => {
    const nodes = cluster.nodes.map(({ url }) => new URL(url).host);
    await using app = await bootInfra(
      RedisModule.forRoot({ driver: 'cluster', password: cluster.password, cluster: { nodes }, startup: 'require' }),
    );
    const client = app.get(RedisClient);
    await expectAgreement(60, 15, () => scriptOn(client));
  });
});
