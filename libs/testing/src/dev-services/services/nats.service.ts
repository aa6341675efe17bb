import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pingNats } from '../../nats/nats.admin.js';
import { natsAccount, natsFiles, type NatsSettings } from '../../nats/nats.settings.js';
import { findProgram } from '../programs.js';
import {
  defineService,
  type DockerImage,
  type LaunchPlace,
  type LaunchPlan,
  type ServiceDefinition,
} from '../service.definition.js';

const INSTALL = `Run \`${process.platform === 'darwin' ? 'brew install nats-server' : '.ci/servers.sh'}\``;
const IN_CONTAINER = 4222;

/** NATS 2.11 or newer, with JetStream: `nats-server` of this machine, or the official image. */
export const nats = natsService();

/** A NATS server that is started with settings of its own. */
export function natsService(settings: NatsSettings = {}): ServiceDefinition {
  const scheme = settings.certificates ? 'tls' : 'nats';
  return defineService({
    name: 'nats',
    env: ['NATS_URL'],
    optional: true,
    // A list of servers, as a rule of one cluster: the first will do, with a scheme.
    fromEnvironment: value => {
      const [first = ''] = value.split(',').map(part => part.trim());
      return first.includes('://') ? first : `nats://${first}`;
    },
    url: ({ port, secret }) => `${scheme}://${natsAccount(settings, secret)}127.0.0.1:${port}`,
    ready: pingNats,
    isInstalled: () => find() !== undefined,
    native: place => {
      const server = find();
      return Promise.resolve(server === undefined ? undefined : installed(server, settings, place));
    },
    docker: inDocker(settings),
    missing: `${INSTALL}, start Docker`,
  });
}

function find(): string | undefined {
  return findProgram('nats-server', 'NATS_SERVER_BIN');
}

function installed(command: string, settings: NatsSettings, place: LaunchPlace): LaunchPlan {
  return {
    how: 'installed',
    prepare: () => {
      const files = natsFiles(settings, place, '127.0.0.1');
      for (const [name, text] of Object.entries(files)) writeFileSync(join(place.folder, name), text, { mode: 0o600 });
      return Promise.resolve();
    },
    start: port => ({ command, args: ['-c', join(place.folder, 'nats.conf'), '-p', String(port)] }),
    stopSignal: 'SIGTERM',
    endSignal: place.durable ? 'SIGTERM' : 'SIGKILL',
    isTransient: log => /address already in use/.test(log),
  };
}

/** The files go in by the environment, since arguments could be read by anybody and a mounted folder belongs to another account. */
function inDocker(settings: NatsSettings): DockerImage {
  const folder = '/data';
  const filesOf = (secret: string): [variable: string, name: string, text: string][] =>
    Object.entries(natsFiles(settings, { folder, secret }, '0.0.0.0')).map(([name, text]) => [
      `CORE_INFRA_${name.replace('.', '_').toUpperCase()}`,
      name,
      text,
    ]);
  return {
    image: 'nats:2-alpine',
    port: IN_CONTAINER,
    data: folder,
    env: secret => Object.fromEntries(filesOf(secret).map(([variable, , text]) => [variable, text])),
    args: () => {
      const write = filesOf('').map(([variable, name]) => `printf %s "$${variable}" > ${folder}/${name}`);
      const server = `exec nats-server -c ${folder}/nats.conf -p ${IN_CONTAINER}`;
      return ['sh', '-c', ['umask 077', `mkdir -p ${folder}`, ...write, server].join('; ')];
    },
  };
}
