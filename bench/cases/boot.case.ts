import type { BenchCase, Effort, Sample, Variant } from '../harness/bench-case.js';
import { Server } from '../harness/server.js';

const MB = 1_000_000;

function variant(name: string, main: string, { folder }: Effort): Variant {
  return {
    name,
    async measure(): Promise<Sample> {
      await using server = await Server.start(main, { folder, execArgv: ['--expose-gc'] });
      const { bootMs, bootCpuUs, rssBytes, heapBytes } = await server.usage();
      return { bootMs, bootCpuMs: bootCpuUs / 1_000, rssMb: rssBytes / MB, heapMb: heapBytes / MB };
    },
  };
}

const bare = { variant: 'bare Nest', as: 'difference' } as const;

export const boot: BenchCase = {
  name: 'boot',
  about:
    'From the start of the process until it listens, loading of modules included; memory right after, garbage collected. ' +
    '*core-infra, all off*: `CoreInfraModule` without a concern, with everything turned off that can be. *core-infra and http*, ' +
    '*usual recipe* and *bare Nest*: the servers of http-get.',
  rounds: 15,
  metrics: [
    { key: 'bootMs', label: 'Boot', unit: 'ms', digits: 0 },
    { key: 'bootCpuMs', label: 'CPU time of it', unit: 'ms', digits: 0 },
    { key: 'heapMb', label: 'Heap in use', unit: 'MB' },
    { key: 'rssMb', label: 'Resident memory', unit: 'MB' },
  ],
  goals: [
    { metric: 'bootMs', variant: 'core-infra, all off', against: bare, atMost: 40 },
    { metric: 'heapMb', variant: 'core-infra, all off', against: bare, atMost: 5 },
    { metric: 'rssMb', variant: 'core-infra, all off', against: bare, atMost: 5 },
  ],
  async open(effort) {
    return {
      variants: [
        variant('core-infra, all off', 'all-off.main', effort),
        variant('core-infra and http', 'core-infra.main', effort),
        variant('usual recipe', 'recipe.main', effort),
        variant('bare Nest', 'bare.main', effort),
      ],
    };
  },
};
