import { Client, escapeIdentifier } from 'pg';
import { uniqueName } from '../helpers/unique-name.js';

/** How long a server may take to answer a new connection, in milliseconds. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Runs `use` with a connection of its own, closed afterwards. */
export async function withClient<Result>(url: string, use: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS });
  // A server that goes away between two queries is reported by the next query.
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/** The same server and account, another database. */
export function withDatabase(url: string, database: string): string {
  const other = new URL(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/** Creates an empty database, or a copy of `template`, and resolves with its address. */
export async function createDatabase(adminUrl: string, name: string, template = 'template0'): Promise<string> {
  await withClient(adminUrl, client =>
    client.query(`CREATE DATABASE ${escapeIdentifier(name)} TEMPLATE ${escapeIdentifier(template)}`),
  );
  return withDatabase(adminUrl, name);
}

/** Removes a database, whoever is still connected to it. */
export async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withClient(adminUrl, client => client.query(`DROP DATABASE IF EXISTS ${escapeIdentifier(name)} WITH (FORCE)`));
}

/** The name of the template's database, which is prepared by the first who asks while all others wait. */
export async function ensureTemplate(
  adminUrl: string,
  { name, prepare }: { name: string; prepare(url: string): Promise<void> },
): Promise<string> {
  const database = `template_${name}`;
  await withClient(adminUrl, async client => {
    await client.query('SELECT pg_advisory_lock(hashtextextended($1, 0))', [database]);
    if ((await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [database])).rowCount) return;
    const unfinished = uniqueName('template');
    try {
      await prepare(await createDatabase(adminUrl, unfinished));
      await client.query(`ALTER DATABASE ${escapeIdentifier(unfinished)} RENAME TO ${escapeIdentifier(database)}`);
    } catch (error) {
      await dropDatabase(adminUrl, unfinished);
      throw error;
    }
    // The lock ends with the connection.
  });
  return database;
}
