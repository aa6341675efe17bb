import {
  AppInfo,
  type CliCommand,
  type CliContext,
  Clock,
  connectionToken,
  type DriverSite,
  resolveConfig,
} from '@core-infra/kernel';
import { Cluster, Redis } from 'ioredis';
import { RedisConfig } from '../config/redis.config.js';
import { clusterNodes, clusterOptions, redisOptions } from '../drivers/ioredis-options.js';
import { diagnose } from '../drivers/diagnose.js';
import { RedisCommandLineError } from '../errors.js';
import { bigKeys } from './big-keys.js';
import { commandScope, isRedisCommandDone } from './command-scope.js';

const text = (value: unknown) => (typeof value === 'string' ? value : undefined);

export const commands: readonly CliCommand[] = [
  {
    usage: 'redis bigkeys',
    summary: 'The keys that take the most memory, by SCAN in small steps; of all masters of a cluster',
    options: [
      ['--connection <name>', 'name of the redis connection, when it is not the default one'],
      ['--url <url>', 'look at this server, without an app'],
      ['--cluster', 'with --url: it is a node of a cluster'],
      ['--match <pattern>', 'only keys of this glob pattern (default: *)'],
      ['--limit <count>', 'so many of the biggest (default: 20)'],
      ['--samples <count>', 'elements of a large value to estimate its size by; 0 for all (default: 5)'],
    ],
    examples: [
      'core-infra --app dist/app.module.js redis bigkeys --match "session:*"',
      'core-infra redis bigkeys --url "$REDIS_URL" --limit 5 --json',
    ],
    run: context =>
      withClient(context, async client => {
        const { options, output, signal } = context;
        const found = await bigKeys(client, {
          match: text(options.match),
          limit: countOf(options.limit, '--limit', 1),
          samples: countOf(options.samples, '--samples', 0),
          signal,
        });
        const rows = found.map(({ key, type, bytes, length, ttlMs }) => ({
          key,
          type,
          bytes,
          length: length ?? '',
          ttlMs: ttlMs ?? '',
        }));
        output.rows(rows, { empty: 'There are no such keys.' });
      }),
  },
];

function countOf(value: unknown, option: string, least: number): number | undefined {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (Number.isInteger(count) && count >= least && count <= 1_000_000) return count;
  throw new RedisCommandLineError(`"${String(value)}" is no number for ${option}.`, `Give an integer from ${least}.`);
}

/** By `--url`, or by the configuration of the app, which is booted no further than its connection's configuration. */
async function withClient(context: CliContext, work: (client: Redis | Cluster) => Promise<void>): Promise<void> {
  const url = text(context.options.url);
  if (url !== undefined) {
    const driver = context.options.cluster === true ? 'cluster' : 'standalone';
    const config = resolveConfig({ section: 'redis', Config: RedisConfig, given: { url, driver } });
    const at = { app: { ...AppInfo.unknown, name: 'core-infra' }, clock: Clock.system } as DriverSite;
    const make = () =>
      driver === 'cluster'
        ? new Cluster(clusterNodes(config), clusterOptions(config, at))
        : new Redis(redisOptions(config, at));
    return use(make, work, config);
  }
  const connection = text(context.options.connection) ?? 'default';
  await assertRegistered(context, connection);
  let result: Promise<void> | undefined;
  const found = async (make: () => Redis | Cluster) => {
    result = use(make, work);
    await result;
  };
  try {
    const app = await commandScope.run({ connection, found }, () => context.app.boot());
    await app.close();
  } catch (error) {
    if (!result) throw error;
    await result;
    if (!isRedisCommandDone(error)) context.output.note(`The app itself: ${String(error)}`);
  }
}

async function use(
  make: () => Redis | Cluster,
  work: (client: Redis | Cluster) => Promise<void>,
  config?: RedisConfig,
): Promise<void> {
  const client = make();
  let reason: unknown;
  client.on('error', error => (reason ??= error));
  try {
    try {
      await client.connect();
    } catch (error) {
      throw config ? diagnose(reason ?? error, config) : (reason ?? error);
    }
    await work(client);
  } finally {
    client.disconnect();
  }
}

async function assertRegistered({ app }: CliContext, connection: string): Promise<void> {
  const modules = await app.inspect();
  const token = connectionToken('redis', connection);
  if ([...modules.values()].some(module => module.providers.has(token))) return;
  throw new RedisCommandLineError(
    `The app registers no redis connection "${connection}".`,
    'Import RedisModule in it, or name another one with --connection.',
  );
}
