import autocannon from 'autocannon';
import type { LoadResult, Saturation } from './load.js';

export async function saturate({ url, connections, seconds }: Saturation): Promise<Omit<LoadResult, 'loadCpuUs'>> {
  const { non2xx, errors, duration, latency, ...result } = await autocannon({ url, connections, duration: seconds });
  if (non2xx + errors > 0) throw new Error(`${url}: ${non2xx} answers were not 2xx, ${errors} requests failed.`);
  return { requests: result['2xx'], seconds: duration, p50Ms: latency.p50, p99Ms: latency.p99 };
}
