import type { CheckResult } from '@core-infra/kernel';
import type { Cluster, Redis } from 'ioredis';
import type { RedisAvailability } from '../availability/availability.js';
import type { RedisConfig } from '../config/redis.config.js';
import { type Info, numberOf, parseInfo } from './info.js';
import { serverState } from './server-state.js';

const SLOTS = 16_384;

interface Answer {
  readonly node: string;
  readonly server?: Info;
  readonly cluster?: Info;
  readonly failure?: string;
}

/** One round trip to each master, all together: the slots that are served, nodes that fail, and each server's own state. */
export async function checkCluster(
  cluster: Cluster,
  availability: RedisAvailability,
  config: RedisConfig,
  withinMs: number,
): Promise<CheckResult> {
  const began = performance.now();
  const answers = await availability.run(() => Promise.all(cluster.nodes('master').map(ask)), withinMs);
  const latencyMs = Math.round((performance.now() - began) * 10) / 10;
  const reasons: string[] = answers.flatMap(({ node, failure }) =>
    failure ? [`${node} does not answer: ${failure}`] : [],
  );
  const servers = answers.flatMap(({ node, server }) => {
    if (!server) return [];
    const { details, reasons: own } = serverState(server, config);
    reasons.push(...own.map(reason => `${node}: ${reason}`));
    return [{ node, ...details }];
  });
  const slots = slotsOf(answers, reasons);
  return { latencyMs, ...slots, servers, ...(reasons.length > 0 && { degraded: reasons.join('; ') }) };
}

/** The view of the cluster's state, by the gloomiest of its masters. */
function slotsOf(answers: readonly Answer[], reasons: string[]) {
  const views = answers.flatMap(({ cluster }) => (cluster ? [cluster] : []));
  if (views.length === 0) return {};
  const least = (name: string) => Math.min(...views.map(view => numberOf(view, name) ?? 0));
  const most = (name: string) => Math.max(...views.map(view => numberOf(view, name) ?? 0));
  const state = views.every(view => view.cluster_state === 'ok') ? 'ok' : 'fail';
  const slotsCovered = least('cluster_slots_ok');
  const failing = most('cluster_slots_pfail') + most('cluster_slots_fail');
  if (state !== 'ok') reasons.push('the cluster’s state is fail');
  if (slotsCovered < SLOTS) reasons.push(`${SLOTS - slotsCovered} of ${SLOTS} slots are not served`);
  return {
    state,
    slotsCovered,
    slotsFailing: failing,
    masters: most('cluster_size'),
    nodes: most('cluster_known_nodes'),
  };
}

async function ask(redis: Redis): Promise<Answer> {
  const node = `${redis.options.host}:${redis.options.port}`;
  try {
    const [[, info] = [], [, cluster] = []] = (await redis.pipeline().info().cluster('INFO').exec()) ?? [];
    return {
      node,
      ...(typeof info === 'string' && { server: parseInfo(info) }),
      ...(typeof cluster === 'string' && { cluster: parseInfo(cluster) }),
      ...(info === undefined && cluster === undefined && { failure: 'no answer' }),
    };
  } catch (error) {
    return { node, failure: (error as Error).message };
  }
}
