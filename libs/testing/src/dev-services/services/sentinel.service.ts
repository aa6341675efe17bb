import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pingRedis } from '../../redis/redis.admin.js';
import { quote } from '../../redis/redis.settings.js';
import { findProgram } from '../programs.js';
import type { ServiceDefinition } from '../service.definition.js';
import { redisNode } from './redis.service.js';

/** What a sentinel watches. */
export interface SentinelSettings {
  masterName: string;
  masterPort: number;
  /** Of the servers that are watched. */
  password: string;
  /** Of the sentinels themselves. */
  sentinelPassword?: string;
  /** How many have to agree that the master is gone. */
  quorum: number;
}

/** One Redis Sentinel. */
export function sentinelService(settings: SentinelSettings): ServiceDefinition {
  const { sentinelPassword } = settings;
  return {
    ...redisNode(),
    name: 'redis-sentinel',
    url: ({ port }) => `redis://${sentinelPassword ? `:${sentinelPassword}@` : ''}127.0.0.1:${port}`,
    ready: url => pingRedis(url),
    native: place => {
      const command = findProgram('redis-server');
      const file = join(place.folder, 'sentinel.conf');
      return Promise.resolve(
        command === undefined
          ? undefined
          : {
              how: 'installed',
              prepare: () => {
                writeFileSync(file, configuration(settings, place.folder), { mode: 0o600 });
                return Promise.resolve();
              },
              start: port => ({ command, args: [file, '--sentinel', '--port', String(port)] }),
              stopSignal: 'SIGTERM',
              endSignal: 'SIGKILL',
              isTransient: log => /Address already in use/.test(log),
            },
      );
    },
  };
}

function configuration(
  { masterName, masterPort, password, sentinelPassword, quorum }: SentinelSettings,
  folder: string,
): string {
  const lines = [
    'bind 127.0.0.1',
    'protected-mode no',
    `dir ${quote(folder.replaceAll('\\', '/'))}`,
    'set-proc-title no',
    `sentinel monitor ${masterName} 127.0.0.1 ${masterPort} ${quorum}`,
    `sentinel auth-pass ${masterName} ${password}`,
    // In milliseconds.
    `sentinel down-after-milliseconds ${masterName} 1000`,
    `sentinel failover-timeout ${masterName} 3000`,
    ...(sentinelPassword ? [`requirepass ${sentinelPassword}`, `sentinel sentinel-pass ${sentinelPassword}`] : []),
  ];
  return `${lines.join('\n')}\n`;
}
