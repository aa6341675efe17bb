import { accessSync, constants, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { ALONE_MODULE, ALONE_SOURCE, aloneFlags } from '../../rabbitmq/erlang.alone.js';
import { pingRabbitmq } from '../../rabbitmq/rabbitmq.admin.js';
import { RABBITMQ_USER, rabbitmqFiles, type RabbitmqSettings } from '../../rabbitmq/rabbitmq.settings.js';
import { findProgram } from '../programs.js';
import {
  type Command,
  defineService,
  type DockerImage,
  type LaunchPlace,
  type LaunchPlan,
  type ServiceDefinition,
} from '../service.definition.js';

const INSTALL = `Run \`${process.platform === 'darwin' ? 'brew install rabbitmq' : '.ci/servers.sh'}\``;
const IN_CONTAINER = 5672;
/** Debian's own; the one on its PATH changes the account and writes to /var/log. */
const DEBIAN = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/** RabbitMQ 3.10 or newer: `rabbitmq-server` of this machine, or the official image. */
export const rabbitmq = rabbitmqService();

/** A RabbitMQ that is started with settings of its own. */
export function rabbitmqService(settings: RabbitmqSettings = {}): ServiceDefinition {
  const { certificates } = settings;
  const tls = certificates && { ca: certificates.ca, cert: certificates.client.cert, key: certificates.client.key };
  return defineService({
    name: 'rabbitmq',
    env: ['RABBITMQ_URL'],
    optional: true,
    url: ({ port, secret }) => `amqp${tls ? 's' : ''}://${RABBITMQ_USER}:${secret}@127.0.0.1:${port}`,
    ready: url => pingRabbitmq(url, tls),
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
  const own = findProgram('rabbitmq-server', 'RABBITMQ_BIN');
  if (process.env.RABBITMQ_BIN) return own;
  const isDebians = own === undefined || ['/usr/sbin', '/sbin'].includes(dirname(own));
  return isDebians && isExecutable(DEBIAN) ? DEBIAN : own;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function installed(server: string, settings: RabbitmqSettings, place: LaunchPlace): LaunchPlan {
  const { folder } = place;
  const path = (...names: string[]): string => join(folder, ...names);
  const env = environment(server, folder);
  return {
    how: 'installed',
    prepare: async run => {
      mkdirSync(path('home'), { recursive: true });
      writeFileSync(path(`${ALONE_MODULE}.erl`), ALONE_SOURCE);
      writeFileSync(path('enabled_plugins'), '[].\n');
      writeFileSync(path('env.conf'), '');
      await run({ command: 'erlc', args: ['-o', folder, path(`${ALONE_MODULE}.erl`)], env: { PATH: env.PATH ?? '' } });
    },
    start: (port): Command => {
      const files = rabbitmqFiles(settings, place, port, '127.0.0.1');
      for (const [name, text] of Object.entries(files)) writeFileSync(path(name), text, { mode: 0o600 });
      return { command: server, args: [], env };
    },
    stopSignal: 'SIGTERM',
    endSignal: place.durable ? 'SIGTERM' : 'SIGKILL',
    isTransient: log => /eaddrinuse|already in use/.test(log),
  };
}

/** All that the broker's scripts take from the environment, so that nothing of the machine's own broker is read or written. */
function environment(server: string, folder: string): Record<string, string> {
  const path = (...names: string[]): string => join(folder, ...names);
  const erlang = join(dirname(server), 'rabbitmq.d', 'usr', 'lib', 'erlang', 'bin');
  return {
    HOME: path('home'),
    PATH: `${existsSync(erlang) ? `${realpathSync(erlang)}${delimiter}` : ''}${process.env.PATH ?? ''}`,
    // The script then becomes the broker, instead of being its parent.
    RABBITMQ_ALLOW_INPUT: '1',
    RABBITMQ_NODENAME: 'core@localhost',
    RABBITMQ_CONF_ENV_FILE: path('env.conf'),
    RABBITMQ_CONFIG_FILE: path('rabbitmq.conf'),
    RABBITMQ_ADVANCED_CONFIG_FILE: path('advanced.config'),
    RABBITMQ_MNESIA_BASE: path('data'),
    RABBITMQ_MNESIA_DIR: path('data', 'node'),
    RABBITMQ_LOG_BASE: path('log'),
    RABBITMQ_LOGS: '-',
    RABBITMQ_PID_FILE: path('pid'),
    RABBITMQ_ENABLED_PLUGINS_FILE: path('enabled_plugins'),
    RABBITMQ_GENERATED_CONFIG_DIR: path('generated'),
    RABBITMQ_FEATURE_FLAGS_FILE: path('feature_flags'),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: '-noinput +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none',
    ERL_ZFLAGS: aloneFlags(folder),
    ERL_CRASH_DUMP_SECONDS: '0',
  };
}

/** The files go in by the environment, since arguments could be read by anybody and a mounted folder belongs to another account. */
function inDocker(settings: RabbitmqSettings): DockerImage {
  const folder = '/var/lib/rabbitmq/core-infra';
  const filesOf = (secret: string): [variable: string, name: string, text: string][] =>
    Object.entries(rabbitmqFiles(settings, { folder, secret }, IN_CONTAINER, '0.0.0.0')).map(([name, text]) => [
      `CORE_INFRA_${name.replace('.', '_').toUpperCase()}`,
      name,
      text,
    ]);
  return {
    image: 'rabbitmq:4-alpine',
    port: IN_CONTAINER,
    data: '/var/lib/rabbitmq',
    env: secret => ({
      ...Object.fromEntries(filesOf(secret).map(([variable, , text]) => [variable, text])),
      RABBITMQ_CONFIG_FILE: `${folder}/rabbitmq.conf`,
      // Its data are found again by its name.
      RABBITMQ_NODENAME: 'core@localhost',
    }),
    args: () => {
      const write = filesOf('').map(([variable, name]) => `printf %s "$${variable}" > ${folder}/${name}`);
      const script = [`mkdir -p ${folder}`, ...write, `chown -R rabbitmq ${folder}`];
      return ['sh', '-c', [...script, 'exec docker-entrypoint.sh rabbitmq-server'].join('; ')];
    },
  };
}
