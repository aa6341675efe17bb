import { answering } from '../harness/answering.js';
import type { Usage } from '../harness/server.js';

/** A server that is up. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
  /** What it has to say about itself, beyond the usage of its process. */
  report?(): Record<string, number>;
}

type Boot = Pick<Usage, 'bootMs' | 'bootCpuUs'>;

/** Makes this process a server of the harness: it starts when it is asked to, and ends with the process that asked. */
export function serve(start: () => Promise<Served>): void {
  let served: Served | undefined;
  let boot: Boot = { bootMs: 0, bootCpuUs: 0 };
  answering<'start' | 'usage'>(
    async question => {
      if (question === 'usage') return { ...boot, ...usage(), more: served?.report?.() ?? {} } satisfies Usage;
      served = await start();
      boot = { bootMs: performance.now(), bootCpuUs: cpuUs() };
      return served.url;
    },
    () => served?.close(),
  );
}

function usage(): Omit<Usage, keyof Boot | 'more'> {
  const used = { cpuUs: cpuUs(), atMs: performance.now() };
  // Only with --expose-gc; the heap is then what is in use, not what waits for the collector.
  globalThis.gc?.();
  const { rss: rssBytes, heapUsed: heapBytes } = process.memoryUsage();
  return { ...used, rssBytes, heapBytes };
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
