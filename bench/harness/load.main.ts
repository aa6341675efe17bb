import { answering } from './answering.js';
import type { LoadResult, Pace, Saturation } from './load.js';
import { pace } from './pace.js';
import { saturate } from './saturate.js';

// The process behind `Load`.
answering<Saturation | Pace>(async load => {
  if (new URL(load.url).hostname !== '127.0.0.1') throw new Error(`Loads go to this machine only, not to ${load.url}.`);
  const before = process.cpuUsage();
  const result = await (load.kind === 'saturate' ? saturate(load) : pace(load));
  const { user, system } = process.cpuUsage(before);
  return { ...result, loadCpuUs: user + system } satisfies LoadResult;
});
