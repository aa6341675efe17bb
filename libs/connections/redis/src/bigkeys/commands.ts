import {
  AppInfo,
  type CliCommand,
  type CliContext,
  Clock,
  connectionId,
  connectionToken,
  type DriverSite,
  openForCommand,
  resolveConfig,
} from '@core-infra/kernel';
import { Cluster, Redis } from 'ioredis';
import { RedisConfig } from '../config/redis.config.js';
import { duplicateOf } from '../drivers/duplicates.js';
import { reached, unreached } from '../drivers/first-contact.js';
import { clusterNodes, clusterOptions, redisOptions } from '../drivers/ioredis-options.js';
import { RedisCommandLineError } from '../errors.js';
import type { RedisClient } from '../redis.client.js';
import { bigKeys, type BigKeysOptions } from './big-keys.js';

/** What a command line that makes no sense ends with, as with the other commands. */
const MAKES_NO_SENSE = 2;
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
    run: async context => {
      try {
        await printBigKeys(context);
        return 0;
      } catch (error) {
        if (!(error instanceof RedisCommandLineError)) throw error;
        context.output.note(`error: ${error.problem} (${error.code})`);
        if (error.fix) context.output.note(`       ${error.fix}`);
        return MAKES_NO_SENSE;
      }
    },
  },
];

async function printBigKeys(context: CliContext): Promise<void> {
  const { options, output, signal } = context;
  const wanted: BigKeysOptions = {
    match: text(options.match),
    limit: countOf(options.limit, '--limit', 1),
    samples: countOf(options.samples, '--samples', 0),
    signal,
  };
  await withClient(context, async client => {
    const found = await bigKeys(client, wanted);
    const rows = found.map(({ length, ttlMs, ...key }) => ({ ...key, length: length ?? '', ttlMs: ttlMs ?? '' }));
    output.rows(rows, { empty: 'There are no such keys.' });
  });
}

function countOf(value: unknown, option: string, least: number): number | undefined {
  if (value === undefined) return undefined;
  const count = Number(value);
  if (Number.isInteger(count) && count >= least && count <= 1_000_000) return count;
  throw new RedisCommandLineError(`"${String(value)}" is no number for ${option}.`, `Give an integer from ${least}.`);
}

type Work = (client: RedisClient) => Promise<void>;

function withClient(context: CliContext, work: Work): Promise<void> {
  const { options } = context;
  const url = text(options.url);
  if (url === undefined && options.cluster === true)
    throw new RedisCommandLineError(
      '--cluster is given without --url.',
      'Leave it out: the app’s configuration says what it is.',
    );
  if (url !== undefined && options.connection !== undefined)
    throw new RedisCommandLineError('--url and --connection are given together.', 'Choose one of them.');
  return url === undefined ? withConnection(context, work) : withServer(context, url, work);
}

/** By the configuration of the app, of which nothing but this connection is opened. */
async function withConnection(context: CliContext, work: Work): Promise<void> {
  const connection = text(context.options.connection) ?? 'default';
  await assertRegistered(context, connection);
  await openForCommand<RedisClient, void>(
    () => context.app.boot(),
    { connection: connectionId('redis', connection) },
    async client => {
      await reached(client);
      // Whole names of all keys, and no time limit for a large one.
      const whole = duplicateOf(client, { keyPrefix: '' });
      await whole.ping();
      await work(whole);
    },
  );
}

async function withServer({ options, output }: CliContext, url: string, work: Work): Promise<void> {
  const isCluster = options.cluster === true;
  const driver = isCluster ? 'cluster' : 'standalone';
  const config = resolveConfig({ section: 'redis', Config: RedisConfig, given: { url, driver } });
  const at = { app: { ...AppInfo.unknown, name: 'core-infra' }, clock: Clock.system } as DriverSite;
  const client = isCluster
    ? new Cluster(clusterNodes(config), clusterOptions(config, at))
    : new Redis({ ...redisOptions(config, at), commandTimeout: undefined });
  let reason: unknown;
  client.on('error', error => (reason ??= error));
  try {
    await client.connect().catch((error: unknown) => {
      throw unreached(reason ?? error, 'redis', config);
    });
    const info = isCluster ? '' : await client.info('server').catch(() => ''); // an account may not be allowed it
    if (info.includes('redis_mode:cluster'))
      output.note('This is one node of a cluster: with --cluster all are asked.');
    await work(client as unknown as RedisClient);
  } finally {
    client.disconnect();
  }
}

/** @throws RedisCommandLineError when the app has no such connection */
async function assertRegistered({ app }: CliContext, connection: string): Promise<void> {
  const modules = await app.inspect();
  const token = connectionToken('redis', connection);
  if ([...modules.values()].some(module => module.providers.has(token))) return;
  throw new RedisCommandLineError(
    `The app registers no redis connection "${connection}".`,
    'Import RedisModule in it, or name another one with --connection.',
  );
}
