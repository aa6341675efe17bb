import { resolve } from 'node:path';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { Child } from '../harness/child.js';
import type { EntriesAnswer, EntriesQuestion } from '../servers/cache-entries.main.js';

const MB = 1_000_000;
const ENTRIES = 100_000;
const ANSWER_MS = 60_000;

function variant(kind: EntriesQuestion['kind'], { folder }: Effort): Variant {
  return {
    name: kind,
    async measure() {
      const file = resolve(__dirname, '../servers/cache-entries.main.js');
      await using child = new Child(file, { cwd: folder, execArgv: ['--expose-gc'] });
      const { heapBytes, rssBytes } = await child.ask<EntriesAnswer>({ kind, entries: ENTRIES }, ANSWER_MS);
      return { heapMb: heapBytes / MB, rssMb: rssBytes / MB };
    },
  };
}

export const cacheMemory: BenchCase = {
  name: 'cache-memory',
  about:
    `What ${ENTRIES.toLocaleString('en-US')} orders of about 300 bytes of JSON take in memory, garbage collected, each variant in a process of its own. ` +
    '*core-infra* and *bentocache* keep JSON, with room for that many entries; *cache-manager* keeps the objects themselves, without a bound.',
  rounds: 3,
  metrics: [
    { key: 'heapMb', label: 'Heap and buffers', unit: 'MB' },
    { key: 'rssMb', label: 'Resident memory', unit: 'MB' },
  ],
  goals: [{ metric: 'heapMb', variant: 'core-infra', against: { variant: 'bentocache', as: 'ratio' }, atMost: 1.15 }],
  async open(effort) {
    const kinds = ['core-infra', 'bentocache', 'cache-manager'] as const;
    return { variants: kinds.map(kind => variant(kind, effort)) };
  },
};
