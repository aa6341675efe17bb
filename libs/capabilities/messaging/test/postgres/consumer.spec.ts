import { Clock } from '@core-infra/kernel';
import { eventually } from '@core-infra/testing';
import { Consumer, type ConsumerSite } from '../../src/drivers/postgres/consumer.js';
import type { Job } from '../../src/drivers/postgres/jobs.js';

const QUEUE = 'group/topic';
const jobs = (count: number): Job[] =>
  Array.from({ length: count }, (_, at) => ({ name: QUEUE, id: `${at}`, number: 0, data: {}, bytes: 2, time: at }));

describe('Consumer of PostgreSQL', () => {
  let steps: string[];
  let answers: ((found: readonly Job[]) => void)[];
  let consumer: Consumer;
  let delivered: () => unknown;

  beforeEach(() => {
    steps = [];
    answers = [];
    delivered = () => undefined;
    const nothing = (): Promise<void> => Promise.resolve();
    let isTaken = false;
    const site = {
      // It has the first partition, and nobody else is there.
      connection: {
        query: (sql: string) => {
          if (!sql.includes('RETURNING p.number'))
            return Promise.resolve([{ name: QUEUE, number: 0, mine: isTaken, free: !isTaken, members: 1 }]);
          isTaken = true;
          return Promise.resolve([{ number: 0 }]);
        },
      },
      boss: { subscribe: nothing, ensureQueue: nothing, remove: nothing },
      jobs: {
        putBack: nothing,
        claim: () => {
          steps.push('claim');
          return new Promise<readonly Job[]>(resolve => answers.push(resolve));
        },
      },
      waking: { add: () => undefined, remove: () => undefined, isListening: true },
      config: { schema: 's', leaseMs: 600_000, pollMs: 600_000 },
      at: { clock: Clock.system, logger: { debug: () => undefined } },
      connected: nothing,
    };
    consumer = new Consumer(
      { group: 'group', topics: ['topic'], queues: [], maxInFlight: 1_000, maxBytesInFlight: 1_000_000 },
      {
        assigned: nothing,
        revoked: nothing,
        deliver: messages => {
          steps.push(`deliver ${messages.length}`);
          delivered();
        },
        troubled: () => undefined,
      },
      site as unknown as ConsumerSite,
    );
    consumer.start();
  });
  afterEach(async () => {
    const stopped = consumer.stop(AbortSignal.timeout(5_000));
    for (const answer of answers) answer([]);
    await stopped;
  });

  it('has the server look for more while it hands over what was many', async () => {
    await eventually(() => expect(answers).toHaveLength(1));
    answers[0]!(jobs(100));
    await eventually(() => expect(steps).toEqual(['claim', 'claim', 'deliver 100']));
    answers[1]!(jobs(3));
    await eventually(() => expect(steps.slice(3)).toEqual(['deliver 3', 'claim']));
  });

  it('looks again for what it was told of while it looked ahead', async () => {
    await eventually(() => expect(answers).toHaveLength(1));
    delivered = () => consumer.wake();
    answers[0]!(jobs(100));
    await eventually(() => expect(steps).toEqual(['claim', 'claim', 'deliver 100']));
    answers[1]!([]);
    await eventually(() => expect(answers).toHaveLength(3));
  });

  it('ends no sooner than what it has begun to claim', async () => {
    await eventually(() => expect(answers).toHaveLength(1));
    const ended = new Promise<string>(resolve => {
      delivered = () => consumer.stop(AbortSignal.timeout(5_000)).then(() => resolve('ended'));
    });
    answers[0]!(jobs(100));
    await eventually(() => expect(steps).toContain('deliver 100'));
    const soon = new Promise(resolve => setTimeout(resolve, 50, 'not yet'));
    expect(await Promise.race([ended, soon])).toBe('not yet');
    answers[1]!([]);
    expect(await ended).toBe('ended');
  });
});
