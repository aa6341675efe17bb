import { startPostgres, startRedis } from '@core-infra/testing';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { Load } from '../harness/load.js';
import { Server } from '../harness/server.js';
import { orderPath } from '../servers/orders.js';

const CONNECTIONS = 50;

function variant(name: string, env: Record<string, string>, { folder, quick }: Effort): Variant {
  return {
    name,
    async measure() {
      await using server = await Server.start('stored-orders.main', { folder, env });
      await using load = new Load(folder);
      const saturation = { kind: 'saturate', url: server.url + orderPath, connections: CONNECTIONS } as const;
      await load.run({ ...saturation, seconds: quick ? 1 : 2 });
      const before = await server.usage();
      const result = await load.run({ ...saturation, seconds: quick ? 2 : 4 });
      const after = await server.usage();
      return {
        perSecond: result.requests / result.seconds,
        cpuUs: (after.cpuUs - before.cpuUs) / result.requests,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
      };
    },
  };
}

export const cachedOrder: BenchCase = {
  name: 'cached-order',
  about:
    `\`GET ${orderPath}\` of an order in PostgreSQL, ${CONNECTIONS} connections, the whole stack around it. *no cache*: a query for each request. *warm, memory* and ` +
    '*warm, Redis*: the same query behind `cache.define`, which is asked once.',
  rounds: 5,
  metrics: [
    { key: 'perSecond', label: 'Requests per second', unit: '', digits: 0 },
    { key: 'cpuUs', label: 'CPU per request', unit: 'µs' },
    { key: 'p50Ms', label: 'p50', unit: 'ms', digits: 0 },
    { key: 'p99Ms', label: 'p99', unit: 'ms', digits: 0 },
  ],
  goals: ['warm, memory', 'warm, Redis'].map(variant => ({
    metric: 'cpuUs',
    variant,
    against: { variant: 'no cache', as: 'ratio' as const },
    atMost: 1,
  })),
  async open(effort) {
    const postgres = await startPostgres();
    const redis = await startRedis();
    const env = { POSTGRES_DSN: postgres.url, REDIS_URL: redis.url };
    return {
      variants: [
        variant('no cache', { ...env, CACHE: 'none' }, effort),
        variant('warm, memory', { ...env, CACHE: 'memory' }, effort),
        variant('warm, Redis', { ...env, CACHE: 'redis' }, effort),
      ],
      async close() {
        await redis.dispose();
        await postgres.dispose();
      },
    };
  },
};
