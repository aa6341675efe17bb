import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LoadResult, Pace } from './load.js';
import { percentile } from './statistics.js';

/**
 * Requests spread evenly. (autocannon's `overallRate` sends each second's requests in one burst at its beginning, which
 * measures a queue.) A latency counts from the time at which the request was due, so a slow answer is not hidden by the
 * requests that wait for it.
 */
export async function pace({ url, perSecond, seconds }: Pace): Promise<Omit<LoadResult, 'loadCpuUs'>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 128 });
  const total = perSecond * seconds;
  const latencies: Promise<number>[] = [];
  const start = performance.now();
  while (latencies.length < total) {
    const due = start + (latencies.length * 1_000) / perSecond;
    if (performance.now() < due) {
      await sleep(1);
      continue;
    }
    const latency = request(url, agent).then(doneAt => doneAt - due);
    latency.catch(() => {}); // it is reported below, with the others
    latencies.push(latency);
  }
  try {
    const values = await Promise.all(latencies);
    const took = (performance.now() - start) / 1_000;
    return { requests: total, seconds: took, p50Ms: percentile(values, 0.5), p99Ms: percentile(values, 0.99) };
  } finally {
    agent.destroy();
  }
}

/** Resolves with the time at which the whole answer was there. */
function request(url: string, agent: Agent): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = get(url, { agent, timeout: 10_000 }, response => {
      response.resume();
      response.once('end', () => {
        if (response.statusCode === 200) resolve(performance.now());
        else reject(new Error(`${url} answered ${response.statusCode}.`));
      });
    });
    sent.once('timeout', () => sent.destroy(new Error(`${url} did not answer within 10 s.`)));
    sent.once('error', reject);
  });
}
