import { resolve } from 'node:path';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { Child } from '../harness/child.js';
import type { CallersAnswer, CallersQuestion } from '../servers/limit-callers.main.js';

const CALLERS = 100_000;
const ANSWER_MS = 60_000;

function variant(kind: CallersQuestion['kind'], { folder }: Effort): Variant {
  return {
    name: kind,
    async measure() {
      const file = resolve(__dirname, '../servers/limit-callers.main.js');
      await using child = new Child(file, { cwd: folder, execArgv: ['--expose-gc'] });
      const { bytesPerCaller } = await child.ask<CallersAnswer>({ kind, callers: CALLERS }, ANSWER_MS);
      return { bytesPerCaller };
    },
  };
}

export const rateLimitCallers: BenchCase = {
  name: 'rate-limit-callers',
  about:
    `What ${CALLERS.toLocaleString('en-US')} callers of one limit take in the memory of a process that counts by itself, garbage collected, each variant in a process ` +
    'of its own; a caller is an IPv4 address.',
  rounds: 3,
  metrics: [{ key: 'bytesPerCaller', label: 'Heap per caller', unit: 'bytes', digits: 0 }],
  goals: [],
  async open(effort) {
    const kinds = ['core-infra', 'rate-limiter-flexible'] as const;
    return { variants: kinds.map(kind => variant(kind, effort)) };
  },
};
