import type { BenchCase, Effort, Sample, Variant } from '../harness/bench-case.js';
import { Load } from '../harness/load.js';
import { Server } from '../harness/server.js';
import { CHECK_MS, CHECKS } from '../servers/slow-checks.js';

const PER_SECOND = 1_000;

function variant(name: string, main: string, path: string, { folder, quick }: Effort): Variant {
  return {
    name,
    async measure(): Promise<Sample> {
      await using server = await Server.start(main, { folder });
      await using load = new Load(folder);
      const pace = { kind: 'pace', url: server.url + path, perSecond: PER_SECOND } as const;
      await load.run({ ...pace, seconds: quick ? 1 : 3 });
      const before = await server.usage();
      const result = await load.run({ ...pace, seconds: quick ? 2 : 10 });
      const after = await server.usage();
      return {
        p50Ms: result.p50Ms,
        p99Ms: result.p99Ms,
        cpuUs: (after.cpuUs - before.cpuUs) / result.requests,
        ...(path === '/health' && { runs: after.more.runs! }),
      };
    },
  };
}

export const health: BenchCase = {
  name: 'health',
  about:
    `\`GET /health\`, ${PER_SECOND.toLocaleString('en-US')} probes a second, spread evenly, over ${CHECKS} checks of ${CHECK_MS} ms, beside ` +
    'an ordinary route of the same app under the same load. A latency counts from the time at which the probe was due. ' +
    '*Terminus by hand*: `HealthCheckService` with the same checks, without a cache.',
  rounds: 5,
  metrics: [
    { key: 'p50Ms', label: 'p50', unit: 'ms', digits: 2 },
    { key: 'p99Ms', label: 'p99', unit: 'ms', digits: 2 },
    { key: 'cpuUs', label: 'CPU per request', unit: 'µs', digits: 0 },
    { key: 'runs', label: 'Runs of one check in any second', unit: '', digits: 0 },
  ],
  goals: [
    { metric: 'runs', variant: '/health', atMost: 1 },
    { metric: 'p99Ms', variant: '/health', against: { variant: 'ordinary route', as: 'difference' }, atMost: 3 },
  ],
  async open(effort) {
    return {
      variants: [
        variant('/health', 'health.main', '/health', effort),
        variant('ordinary route', 'health.main', '/orders/42', effort),
        variant('Terminus by hand', 'terminus.main', '/health', effort),
      ],
    };
  },
};
