import { chownSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withClient } from '../../postgres/postgres.admin.js';
import { postgresUser } from '../postgres.binaries.js';
import { findProgram } from '../programs.js';
import { defineService, type LaunchPlace, type LaunchPlan, type ServiceDefinition } from '../service.definition.js';

/** PgBouncer in transaction mode in front of the PostgreSQL at `target`: for specs alone. */
export function pgbouncer(target: () => string): ServiceDefinition {
  return defineService({
    name: 'pgbouncer',
    env: [],
    optional: true,
    url: ({ port }) => {
      const url = new URL(target());
      url.host = `127.0.0.1:${port}`;
      return url.href;
    },
    ready: url => withClient(url, async client => void (await client.query('SELECT 1'))),
    // It refuses to run as root, as the server does.
    user: postgresUser,
    isInstalled: () => find() !== undefined,
    native: async place => {
      const command = find();
      return command === undefined ? undefined : installed(command, target(), place, await postgresUser());
    },
    missing: `Run \`${process.platform === 'darwin' ? 'brew install pgbouncer' : '.ci/servers.sh'}\``,
  });
}

function find(): string | undefined {
  return findProgram('pgbouncer', 'PGBOUNCER_BIN');
}

function installed(
  command: string,
  target: string,
  { folder }: LaunchPlace,
  user: Awaited<ReturnType<typeof postgresUser>>,
): LaunchPlan {
  const { hostname, port, username, password } = new URL(target);
  const ini = join(folder, 'pgbouncer.ini');
  const users = join(folder, 'users.txt');
  const plan: LaunchPlan = {
    how: 'installed',
    prepare: () => {
      const quoted = (text: string): string => `"${decodeURIComponent(text).replaceAll('"', '""')}"`;
      const own = { mode: 0o600 };
      writeFileSync(users, `${quoted(username)} ${quoted(password)}\n`, own);
      writeFileSync(ini, settings(`host=${hostname} port=${port}`, users, 0), own);
      if (user) for (const file of [ini, users]) chownSync(file, user.uid, user.gid);
      return Promise.resolve();
    },
    start: at => {
      writeFileSync(ini, settings(`host=${hostname} port=${port}`, users, at));
      return { command, args: [ini], ...(user && { user }) };
    },
    stopSignal: 'SIGINT',
    endSignal: 'SIGKILL',
    isTransient: log => /Address already in use/i.test(log),
  };
  return plan;
}

const settings = (server: string, users: string, port: number): string => `
[databases]
* = ${server}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = plain
auth_file = ${users}
pool_mode = transaction
default_pool_size = 5
ignore_startup_parameters = statement_timeout,lock_timeout,idle_in_transaction_session_timeout
`;
