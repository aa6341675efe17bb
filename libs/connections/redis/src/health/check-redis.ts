import type { CheckResult } from '@core-infra/kernel';
import type { Redis } from 'ioredis';
import type { RedisAvailability } from '../availability/availability.js';
import type { RedisConfig } from '../config/redis.config.js';
import { parseInfo } from './info.js';
import { serverState } from './server-state.js';

/**
 * One round trip: PING and INFO. It counts like any command: a server that does not answer it is away for everybody; and while it is away it
 * is not asked here, but by the pings that wait for it.
 */
export async function checkRedis(
  redis: Redis,
  availability: RedisAvailability,
  config: RedisConfig,
  withinMs: number,
): Promise<CheckResult> {
  const began = performance.now();
  const replies = await availability.run(async () => (await redis.pipeline().ping().info().exec()) ?? [], withinMs);
  const latencyMs = Math.round((performance.now() - began) * 10) / 10;
  const [[pingFailed] = [], [infoFailed, text] = []] = replies;
  if (pingFailed) throw pingFailed;
  // An account may be allowed its keys and nothing else.
  if (infoFailed) return { latencyMs, note: `INFO: ${infoFailed.message}` };
  const { details, reasons } = serverState(parseInfo(String(text)), config);
  return { latencyMs, ...details, ...(reasons.length > 0 && { degraded: reasons.join('; ') }) };
}
