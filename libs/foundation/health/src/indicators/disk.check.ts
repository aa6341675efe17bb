import { statfs } from 'node:fs/promises';
import type { Check } from '@core-infra/kernel';
import type { DiskThresholds } from '../thresholds.config.js';
import { judge, percent, rounded } from './threshold.js';

/** The disk that holds a folder, as it is for an ordinary user: what is reserved for root counts as used. */
export function diskCheck(thresholds: DiskThresholds): Check {
  return async () => {
    const path = thresholds.path ?? process.cwd();
    const { bsize, blocks, bavail } = await statfs(path);
    const usedRatio = blocks === 0 ? 0 : 1 - bavail / blocks; // virtual file systems have no blocks
    return judge({
      what: 'the disk',
      value: usedRatio,
      degraded: thresholds.degradedRatio,
      down: thresholds.downRatio,
      print: percent,
      details: { path, freeBytes: bavail * bsize, totalBytes: blocks * bsize, usedRatio: rounded(usedRatio) },
    });
  };
}
