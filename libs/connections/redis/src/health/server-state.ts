import type { RedisConfig } from '../config/redis.config.js';
import { type Info, numberOf } from './info.js';

/** What one server says of itself, and what of it is a reason to worry. */
export interface ServerState {
  readonly details: Record<string, unknown>;
  readonly reasons: readonly string[];
}

type Wanted = Pick<RedisConfig, 'persistence' | 'health'>;

export function serverState(info: Info, wanted: Wanted): ServerState {
  const reasons: string[] = [];
  const details = {
    version: info.redis_version,
    role: info.role,
    connectedClients: numberOf(info, 'connected_clients'),
    memory: memoryOf(info, wanted, reasons),
    persistence: persistenceOf(info, wanted, reasons),
    replication: replicationOf(info, wanted, reasons),
  };
  return { details, reasons };
}

function memoryOf(info: Info, { persistence, health }: Wanted, reasons: string[]) {
  const usedBytes = numberOf(info, 'used_memory') ?? 0;
  const maxBytes = numberOf(info, 'maxmemory') ?? 0;
  const policy = info.maxmemory_policy ?? 'noeviction';
  const ratio = maxBytes > 0 ? usedBytes / maxBytes : undefined;
  if (ratio !== undefined && ratio > health.memoryRatio) {
    const percent = `${Math.floor(ratio * 100)} % of maxmemory in use`;
    if (policy === 'noeviction') reasons.push(`${percent}, and with noeviction writes are refused at 100 %`);
    else if (persistence === 'store')
      reasons.push(`${percent}, and ${policy} then drops keys that are kept nowhere else`);
  }
  return {
    usedBytes,
    ...(maxBytes > 0 && { maxBytes, ratio: Math.round(ratio! * 1_000) / 1_000 }),
    policy,
    evictedKeys: numberOf(info, 'evicted_keys'),
  };
}

function persistenceOf(info: Info, { persistence }: Wanted, reasons: string[]) {
  const aof = info.aof_enabled === '1';
  const failures = [
    info.rdb_last_bgsave_status !== undefined &&
      info.rdb_last_bgsave_status !== 'ok' &&
      'the last snapshot (RDB) failed',
    aof &&
      info.aof_last_write_status !== undefined &&
      info.aof_last_write_status !== 'ok' &&
      'the last write of the append-only file failed',
    aof &&
      info.aof_last_bgrewrite_status !== undefined &&
      info.aof_last_bgrewrite_status !== 'ok' &&
      'the last rewrite of the append-only file failed',
  ].filter(failure => failure !== false);
  if (persistence === 'store') reasons.push(...failures);
  return {
    as: persistence,
    aof,
    lastSaveAt: isoTime(numberOf(info, 'rdb_last_save_time')),
    changesSinceLastSave: numberOf(info, 'rdb_changes_since_last_save'),
    ...(failures.length > 0 && { failures }),
  };
}

function replicationOf(info: Info, { health }: Wanted, reasons: string[]) {
  if (info.role === 'slave') {
    const link = info.master_link_status;
    const silentSeconds = numberOf(info, 'master_last_io_seconds_ago') ?? 0;
    if (link !== 'up') reasons.push('this replica has lost its master');
    else if (silentSeconds * 1_000 > health.replicationLagMs)
      reasons.push(`this replica has not heard of its master for ${silentSeconds} s`);
    return { link, silentMs: silentSeconds * 1_000, readOnly: info.slave_read_only !== '0' };
  }
  const head = numberOf(info, 'master_repl_offset') ?? 0;
  const replicas = Object.entries(info)
    .filter(([name]) => /^slave\d+$/.test(name))
    .map(([, text]) => replicaOf(text, head));
  for (const { address, state, lagMs } of replicas) {
    if (state === 'online' && lagMs > health.replicationLagMs)
      reasons.push(`the replica ${address} is ${Math.round(lagMs / 1_000)} s behind`);
  }
  return { replicas };
}

/** `ip=10.0.0.2,port=6379,state=online,offset=512,lag=1`. */
function replicaOf(text: string, head: number) {
  const fields = Object.fromEntries(text.split(',').map(pair => pair.split('=') as [string, string]));
  return {
    address: `${fields.ip}:${fields.port}`,
    state: fields.state ?? 'unknown',
    lagMs: Math.max(0, Number(fields.lag ?? 0)) * 1_000,
    lagBytes: Math.max(0, head - Number(fields.offset ?? head)),
  };
}

function isoTime(seconds: number | undefined): string | undefined {
  return seconds === undefined ? undefined : new Date(seconds * 1_000).toISOString();
}
