import type { DriverSite, Opened } from '@core-infra/kernel';
import { availabilityOf, luaScript, type RedisClient, RedisUnavailableError } from '@core-infra/redis';
import { gcraAnswers, gcraArguments, gcraLua } from '../gcra/gcra.lua.js';
import { withConfig } from '../limiter-config.js';
import type { RateLimitConfig } from '../rate-limit.config.js';
import type { RateLimiter } from '../rate-limiter.js';
import type { LimitStore } from '../store/limit-store.js';
import { StoreRateLimiter } from '../store/store.limiter.js';

/** Counts in Redis, for all processes together. */
export function driver(config: RateLimitConfig, at: DriverSite): Opened<RateLimiter> {
  const client = at.upstream<RedisClient>();
  const availability = availabilityOf(client);
  const limiter = new StoreRateLimiter(redisStore(client, config.timeoutMs), config, at);
  return {
    client: withConfig(limiter, config),
    // In the background there is nothing to wait for: it decides from the start, by the failure policy until Redis is there.
    connect: config.startup === 'require' ? () => availability.run(() => client.ping()) : undefined,
    check: () => ({
      callers: limiter.callers,
      decides: availability.isAvailable ? 'redis' : config.onFailure,
      ...(!availability.isAvailable && {
        degraded: `Redis is away; unless a limit says otherwise, ${instead[config.onFailure]}`,
      }),
    }),
    close: () => limiter.close(),
  };
}

const instead = {
  local: 'each process limits by itself',
  open: 'everything passes',
  closed: 'nothing passes',
} as const;

/** A decision waits less long than other commands do. */
function redisStore(client: RedisClient, timeoutMs: number): LimitStore {
  const availability = availabilityOf(client);
  return {
    get isAvailable() {
      return availability.isAvailable;
    },
    mixesKeys: !client.isCluster,
    consume: (rule, requests) => {
      const keys = requests.map(({ key }) => key);
      const given = gcraArguments(
        rule,
        requests.map(({ cost }) => cost),
      );
      return availability.run(() => gcra.run(client, keys, given), timeoutMs).then(reply => gcraAnswers(rule, reply));
    },
    forget: async key => void (await availability.run(() => client.del(key), timeoutMs)),
    isAway: error => error instanceof RedisUnavailableError,
    onChange: listener => availability.onChange(listener),
  };
}

const gcra = luaScript<number[]>({ name: 'rate-limit', source: gcraLua });
