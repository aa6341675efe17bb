import { postgres } from '../dev-services/services/postgres.service.js';
import { resolveService, type RunningService } from '../dev-services/service.start.js';
import { needServices } from '../dev-services/spec-needs.js';
import { testRun } from '../dev-services/test-run.js';
import { notThereYet, SETUP_TIMEOUT_MS } from '../helpers/use-started.js';
import { uniqueName } from '../helpers/unique-name.js';
import { createDatabase, dropDatabase, ensureTemplate } from './postgres.admin.js';

/** A database of a spec file's own on the server of the test run. */
export interface TestPostgres {
  /** The file's own database. */
  readonly url: string;
  /** The server's maintenance database, with the right to create others. */
  readonly adminUrl: string;
  /** A further empty database, or a copy of one that nobody is connected to; dropped at the end of the file. */
  createDatabase(template?: string): Promise<string>;
}

export interface UsePostgresOptions {
  /**
   * What the database holds from the start. On a server of this run it is prepared once, in a template that all files with the same
   * name copy in milliseconds; on a server from the environment, in each database by itself.
   */
  template?: {
    /** Says what is in it: files that share a name share the template. */
    name: string;
    /** Creates tables and rows, and closes its connections. */
    prepare(url: string): Promise<void>;
  };
}

/**
 * A real PostgreSQL for the specs of this file, to be called at the top of a file or of a `describe`: one server for the
 * whole run of Jest (from the environment, embedded or in Docker), one database for each call, dropped afterwards.
 */
export function usePostgres({ template }: UsePostgresOptions = {}): TestPostgres {
  needServices([postgres]);
  let server: RunningService | undefined;
  let url: string | undefined;
  const databases: string[] = [];

  const running = (): RunningService => {
    if (server) return server;
    throw notThereYet('database');
  };
  const create = async (source?: string): Promise<string> => {
    const name = uniqueName('spec');
    databases.push(name);
    return createDatabase(running().url, name, source);
  };
  const createPrepared = async (): Promise<string> => {
    if (!template) return create();
    if (running().resolution !== 'environment') return create(await ensureTemplate(running().url, template));
    // Nobody would know when to drop a template there.
    const prepared = await create();
    await template.prepare(prepared);
    return prepared;
  };

  beforeAll(async () => {
    server = await resolveService(postgres, { kind: 'run', run: testRun() });
    url = await createPrepared();
  }, SETUP_TIMEOUT_MS);

  afterAll(async () => {
    // The lease is kept until the process ends: the next spec file finds the server still there.
    if (server) for (const name of databases) await dropDatabase(server.url, name);
  });

  return {
    get url() {
      return url ?? running().url;
    },
    get adminUrl() {
      return running().url;
    },
    createDatabase: create,
  };
}
