import { resolve } from 'node:path';
import type { BenchCase, Effort, Variant } from '../harness/bench-case.js';
import { Child } from '../harness/child.js';
import type { InHandQuestion } from '../servers/messages-in-hand.main.js';

const MESSAGES = 10_000;
const ANSWER_MS = 60_000;

function variant(kind: InHandQuestion['kind'], { folder }: Effort): Variant {
  return {
    name: kind,
    async measure() {
      const file = resolve(__dirname, '../servers/messages-in-hand.main.js');
      await using child = new Child(file, { cwd: folder, execArgv: ['--expose-gc'] });
      return { bytes: (await child.ask<number>({ kind, messages: MESSAGES }, ANSWER_MS)) / MESSAGES };
    },
  };
}

export const messagesInHand: BenchCase = {
  name: 'messages-in-hand',
  about:
    `What a message of 1 KiB takes in memory while it is in hand, with 1,000 keys, garbage collected: ${MESSAGES.toLocaleString('en-US')} of them, whose handlers do not end, with the driver \`memory\`. ` +
    '*Messages alone*: an array of objects with a key, two headers and the body.',
  rounds: 3,
  metrics: [{ key: 'bytes', label: 'Heap and buffers for each', unit: 'bytes', digits: 0 }],
  goals: [],
  async open(effort) {
    return { variants: (['core-infra', 'messages alone'] as const).map(kind => variant(kind, effort)) };
  },
};
