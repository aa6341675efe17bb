import type { Clock } from '@core-infra/kernel';
import type { RedisClient } from '@core-infra/redis';
import type { Entry, PendingWrite } from '../../tiers/entry.js';
import { encodeRecord } from './record.js';

/** The longest that Redis keeps an entry, in milliseconds: 30 days. What was cleared, and nobody asks for, ends by then. */
const LONGEST_MS = 2_592_000_000;

/** How long Redis is to keep an entry, in milliseconds. */
export function keptFor({ staleUntil }: Entry, clock: Clock): number {
  return Math.min(LONGEST_MS, Math.max(1, Math.ceil(staleUntil - clock.now())));
}

/** @param asOf the log's place that the value is newer than; that of its load where it is not given */
export function recordOf(entry: Entry, write: PendingWrite, asOf: number = write.asOf): Buffer {
  const { freshUntil, staleUntil, tags } = entry;
  return encodeRecord({ rev: write.rev, asOf, freshUntil, staleUntil, tags, value: write.encoded });
}

/** @param asOf the log's latest place that is known: a value that is set is newer than all before it */
export async function writeRecord(
  client: RedisClient,
  name: string,
  entry: Entry,
  asOf: number,
  clock: Clock,
): Promise<void> {
  await client.set(name, recordOf(entry, entry.write!, asOf), 'PX', keptFor(entry, clock));
}
