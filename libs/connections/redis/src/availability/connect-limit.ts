import type { Redis } from 'ioredis';
import type { InternalRedis } from '../commands/internals.js';

/** Shortest limit of an attempt, in milliseconds. */
const SHORTEST_MS = 1_000;
/** How many times the last handshake's duration an attempt may take. */
const SLACK = 5;
/** One attempt in so many gets the whole time, should the network have become that slow. */
const PATIENT_EVERY = 6;

/**
 * Gives up an attempt to connect that hangs, and begins another. ioredis bounds only the TCP connection: a handshake that was swallowed by the
 * network would else be waited for long after the network is well again.
 */
export function limitConnecting(
  redis: Redis,
  connectTimeoutMs: number,
  gaveUp: (limitMs: number) => void = () => undefined,
): void {
  let timer: NodeJS.Timeout | undefined;
  let began = 0;
  let lastMs: number | undefined;
  let attempt = 0;
  const stop = () => clearTimeout(timer);

  redis.on('connecting', () => {
    stop();
    began = performance.now();
    const patient =
      lastMs === undefined ? attempt % PATIENT_EVERY === 0 : attempt % PATIENT_EVERY === PATIENT_EVERY - 1;
    attempt += 1;
    const limitMs = patient
      ? connectTimeoutMs
      : Math.min(connectTimeoutMs, Math.max(SHORTEST_MS, SLACK * (lastMs ?? 0)));
    timer = setTimeout(() => {
      if (giveUp(redis)) gaveUp(limitMs);
    }, limitMs).unref();
  });
  redis.on('ready', () => {
    stop();
    attempt = 0;
    lastMs = performance.now() - began;
  });
  redis.on('close', stop);
  redis.on('end', stop);
}

/** Drops the socket; ioredis opens a new one. While sentinels are asked there is none, and ioredis must be let alone. */
export function giveUp(redis: Redis): boolean {
  const { stream } = redis as unknown as InternalRedis;
  if (!stream || stream.destroyed || !['ready', 'connect', 'connecting'].includes(redis.status)) return false;
  redis.disconnect(true);
  return true;
}
