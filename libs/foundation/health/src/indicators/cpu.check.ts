import type { Check } from '@core-infra/kernel';
import type { CpuThresholds } from '../thresholds.config.js';
import { judge, percent, rounded } from './threshold.js';

/** CPU time of the process since the last check, as a share of one core. */
export function cpuCheck(thresholds: CpuThresholds): Check {
  let before = process.cpuUsage();
  let at = performance.now();
  return () => {
    const spent = process.cpuUsage(before);
    const elapsedMs = performance.now() - at;
    before = process.cpuUsage();
    at = performance.now();
    const ratio = elapsedMs > 0 ? (spent.user + spent.system) / 1_000 / elapsedMs : 0;
    return judge({
      what: 'the CPU time',
      value: ratio,
      degraded: thresholds.degradedRatio,
      down: thresholds.downRatio,
      print: value => `${percent(value)} of a core`,
      details: { coreRatio: rounded(ratio) },
    });
  };
}
