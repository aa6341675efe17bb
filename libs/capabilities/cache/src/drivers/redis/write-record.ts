import type { Clock } from '@core-infra/kernel';
import type { RedisClient } from '@core-infra/redis';
import type { Entry } from '../../tiers/entry.js';
import { encodeRecord } from './record.js';

/** How long Redis is to keep an entry, in milliseconds; 0 for ever. */
export function keptFor({ staleUntil }: Entry, clock: Clock): number {
  return staleUntil === Infinity ? 0 : Math.max(1, Math.ceil(staleUntil - clock.now()));
}

export function recordOf(entry: Entry, asOf: number): Buffer {
  const { freshUntil, staleUntil, tags, encoded, rev } = entry;
  return encodeRecord({ rev: rev!, asOf, freshUntil, staleUntil, tags, value: encoded });
}

/** @param asOf the log's latest place that is known: a value that is set is newer than all before it */
export async function writeRecord(
  client: RedisClient,
  name: string,
  entry: Entry,
  asOf: number,
  clock: Clock,
): Promise<void> {
  const keepMs = keptFor(entry, clock);
  if (keepMs === 0) await client.set(name, recordOf(entry, asOf));
  else await client.set(name, recordOf(entry, asOf), 'PX', keepMs);
}
