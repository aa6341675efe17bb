import type { CheckDefinition } from '../check.definition.js';
import type { HealthConfig } from '../health.config.js';
import { cpuCheck } from './cpu.check.js';
import { diskCheck } from './disk.check.js';
import { eventLoopCheck } from './event-loop.check.js';
import { heapCheck, rssCheck } from './memory.check.js';

/** The checks of the process itself: those of which a threshold is set. */
export function builtInChecks(config: HealthConfig): CheckDefinition[] {
  const { eventLoop, heap, rss, cpu, disk } = config;
  const checks = {
    'event-loop': isSet(eventLoop.degradedMs, eventLoop.downMs) && eventLoopCheck(eventLoop),
    heap: isSet(heap.degradedRatio, heap.downRatio) && heapCheck(heap),
    rss: isSet(rss.degradedBytes, rss.downBytes) && rssCheck(rss),
    cpu: isSet(cpu.degradedRatio, cpu.downRatio) && cpuCheck(cpu),
    disk: isSet(disk.degradedRatio, disk.downRatio) && diskCheck(disk),
  };
  return Object.entries(checks).flatMap(([name, run]) =>
    run ? [{ name, owner: `the section "health"`, critical: true, timeoutMs: config.deadlineMs, run }] : [],
  );
}

function isSet(...thresholds: (number | undefined)[]): boolean {
  return thresholds.some(threshold => threshold !== undefined);
}
