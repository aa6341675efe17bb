import type { BenchCase, Effort, Sample, Variant } from '../harness/bench-case.js';
import { Load } from '../harness/load.js';
import { Server } from '../harness/server.js';
import { orderPath } from '../servers/orders.js';

const CONNECTIONS = 50;

/** A new process for each round, warmed up, then loaded with as much as it can do. */
function variant(name: string, main: string, { folder, quick }: Effort): Variant {
  return {
    name,
    async measure(): Promise<Sample> {
      await using server = await Server.start(main, { folder });
      await using load = new Load(folder);
      const saturation = { kind: 'saturate', url: server.url + orderPath, connections: CONNECTIONS } as const;
      const warmUp = await load.run({ ...saturation, seconds: quick ? 1 : 3 });
      const before = await server.usage();
      const result = await load.run({ ...saturation, seconds: quick ? 2 : 5 });
      const after = await server.usage();
      const cpuUs = after.cpuUs - before.cpuUs;
      return {
        cpuUs: cpuUs / result.requests,
        perSecond: result.requests / result.seconds,
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        busy: cpuUs / (after.atMs - before.atMs) / 10,
        lines: (await server.logLines()) / (warmUp.requests + result.requests),
      };
    },
  };
}

export const httpGet: BenchCase = {
  name: 'http-get',
  about:
    `\`GET ${orderPath}\`, ${CONNECTIONS} connections on the loopback interface, logs to a file. *core-infra*: \`CoreInfraModule\` and ` +
    '`HttpModule` with their production defaults. *usual recipe*: the same abilities by hand, from nestjs-pino, nestjs-cls, @nestjs/config, ' +
    '@nestjs/terminus and `ValidationPipe`. *bare Nest*: the same controller on Nest and Fastify alone.',
  rounds: 7,
  metrics: [
    { key: 'cpuUs', label: 'CPU per request', unit: 'µs' },
    { key: 'perSecond', label: 'Requests per second', unit: '', digits: 0 },
    { key: 'p50Ms', label: 'p50', unit: 'ms', digits: 0 },
    { key: 'p99Ms', label: 'p99', unit: 'ms', digits: 0 },
    { key: 'busy', label: 'Server busy', unit: '%', digits: 0 },
    { key: 'lines', label: 'Log lines per request', unit: '', digits: 2 },
  ],
  goals: [
    { metric: 'cpuUs', variant: 'core-infra', against: { variant: 'bare Nest', as: 'ratio' }, atMost: 1.25 },
    { metric: 'perSecond', variant: 'core-infra', against: { variant: 'bare Nest', as: 'ratio' }, atLeast: 0.8 },
    { metric: 'cpuUs', variant: 'core-infra', against: { variant: 'usual recipe', as: 'ratio' }, atMost: 0.5 },
  ],
  async open(effort) {
    return {
      variants: [
        variant('core-infra', 'core-infra.main', effort),
        variant('usual recipe', 'recipe.main', effort),
        variant('bare Nest', 'bare.main', effort),
      ],
    };
  },
};
