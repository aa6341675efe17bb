import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pingRedis } from '../../redis/redis.admin.js';
import { redisArguments, redisFiles, redisPassword, type RedisSettings } from '../../redis/redis.settings.js';
import { findProgram } from '../programs.js';
import {
  defineService,
  type DockerImage,
  type LaunchPlace,
  type LaunchPlan,
  ownServer,
  type ServiceDefinition,
} from '../service.definition.js';

const INSTALL = `Run \`${process.platform === 'darwin' ? 'brew install redis' : 'sudo apt-get install redis-server'}\``;
const IN_CONTAINER = 6379;

/** Redis 6.2 or newer: `redis-server` of this machine, or the official image. */
export const redis = redisService();

/** A Redis that is started with settings of its own. */
export function redisService(settings: RedisSettings = {}): ServiceDefinition {
  const { certificates } = settings;
  const tls = certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key };
  return defineService({
    name: 'redis',
    env: ['REDIS_URL', 'REDIS_ADDR'],
    optional: true,
    // REDIS_ADDR is host:port, as a rule.
    fromEnvironment: value => (value.includes('://') ? value : `redis://${value}`),
    url: ({ port, secret }) => {
      const password = redisPassword(settings, secret);
      const account = password === undefined ? '' : `:${encodeURIComponent(password)}@`;
      return `redis${tls ? 's' : ''}://${account}127.0.0.1:${port}`;
    },
    ready: url => pingRedis(url, tls),
    isInstalled: () => findProgram('redis-server') !== undefined,
    native: place => {
      const server = findProgram('redis-server');
      return Promise.resolve(server === undefined ? undefined : installed(server, settings, place));
    },
    docker: inDocker(settings),
    missing: `${INSTALL}, start Docker`,
  });
}

/** A Redis that works with others: only by a program of this machine, since containers do not reach each other by the same address. */
export function redisNode(settings: RedisSettings = {}): ServiceDefinition {
  return { ...ownServer(redisService(settings)), docker: undefined, missing: INSTALL };
}

function installed(command: string, settings: RedisSettings, place: LaunchPlace): LaunchPlan {
  return {
    how: 'installed',
    prepare: () => {
      const files = redisFiles(settings, place, '127.0.0.1');
      for (const [name, text] of Object.entries(files)) writeFileSync(join(place.folder, name), text, { mode: 0o600 });
      return Promise.resolve();
    },
    start: port => ({ command, args: [join(place.folder, 'redis.conf'), ...redisArguments(settings, port)] }),
    stopSignal: 'SIGTERM',
    endSignal: place.durable ? 'SIGTERM' : 'SIGKILL',
    isTransient: log => /Address already in use/.test(log),
  };
}

/** The files go in by the environment, since arguments could be read by anybody and a mounted folder belongs to another account. */
function inDocker(settings: RedisSettings): DockerImage {
  const folder = '/data';
  const filesOf = (secret: string, durable: boolean): [variable: string, name: string, text: string][] =>
    Object.entries(redisFiles(settings, { folder, durable, secret }, '0.0.0.0')).map(([name, text]) => [
      `CORE_INFRA_${name.replace('.', '_').toUpperCase()}`,
      name,
      text,
    ]);
  return {
    image: 'redis:8-alpine',
    port: IN_CONTAINER,
    data: folder,
    env: secret => Object.fromEntries(filesOf(secret, false).map(([variable, , text]) => [variable, text])),
    args: ({ durable }) => {
      const write = filesOf('', false).map(([variable, name]) => `printf %s "$${variable}" > ${folder}/${name}`);
      const keep = durable ? ['--appendonly', 'yes', '--appendfsync', 'everysec'] : [];
      const server = ['exec redis-server', `${folder}/redis.conf`, ...redisArguments(settings, IN_CONTAINER), ...keep];
      return ['sh', '-c', ['umask 077', ...write, `${server[0]} "$@"`].join('; '), 'redis-server', ...server.slice(1)];
    },
  };
}
