import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ServiceMissingError } from '../errors.js';
import { dockerPlan, dockerProblem } from './docker.plan.js';
import { withFileLock } from './file-lock.js';
import { privateFolder, projectFolder, sharedFolder } from './folders.js';
import { Guard } from './guard.client.js';
import { ServerHost } from './server.host.js';
import type { LaunchPlace, LaunchPlan, Resolution, ServiceDefinition } from './service.definition.js';
import { NO_IMAGE } from './spec-needs.js';
import { cleanFolder, sweep } from './sweep.js';

/** Whose server it is, and for how long. */
export type Lifetime =
  /** The caller's alone, thrown away at its end. */
  | { kind: 'private' }
  /** Shared by all who say the same `run`, thrown away when the last of them is gone. */
  | { kind: 'run'; run: string }
  /** Shared by all who work in the same folder; its data stay. */
  | { kind: 'project'; project: string };

/** A server that is there. */
export interface RunningService {
  name: string;
  /** The environment variable that an app reads the address from. */
  variable: string;
  /** How its address was come by. */
  resolution: Resolution;
  /** With the password. */
  url: string;
  /** Host, port and database: fit for a table or a log. */
  address: string;
  /** Gives it back: a server of one's own ends, a shared one when nobody else holds it. Resolves when that is done. */
  stop(): Promise<void>;
}

/** A server that was started here or joined, with everything that can be done to it. */
export interface Started {
  host: ServerHost;
  resolution: Resolution;
}

/** How long a shared server outlives its last user, in milliseconds: until the next spec file's process has come. */
const LINGER_MS = 1_000;
const END_WITHIN_MS = 10_000;

/**
 * Finds or starts a server: an address in the environment, else one that this machine can run, else Docker.
 *
 * @throws {@link ServiceMissingError} when there is none of them; {@link ServiceStartError} when it did not come up.
 */
export async function resolveService(
  definition: ServiceDefinition,
  lifetime: Lifetime,
  env: NodeJS.ProcessEnv = process.env,
): Promise<RunningService> {
  for (const variable of definition.env) {
    const value = env[variable];
    if (!value) continue;
    const url = definition.fromEnvironment?.(value) ?? value;
    return { ...describe(definition, 'environment', url, variable), stop: () => Promise.resolve() };
  }
  const { host, resolution } = await startServer(definition, lifetime);
  return { ...describe(definition, resolution, host.url), stop: () => giveBack(host, lifetime) };
}

/** A test run's server lingers, for the next spec file; whoever leaves a project's server waits for its clean end. */
async function giveBack(host: ServerHost, { kind }: Lifetime): Promise<void> {
  if (kind === 'private') await host.end();
  else if (kind === 'project') await host.leave();
  else host.release();
}

/** Starts a server here, whatever the environment says, or joins the one that is shared. */
export async function startServer(definition: ServiceDefinition, lifetime: Lifetime): Promise<Started> {
  await sweep();
  const folder = await folderOf(definition, lifetime);
  if (lifetime.kind === 'private') return launch(definition, folder, lifetime);
  return withFileLock(
    `${folder}.lock`,
    async () => (await joinServer(definition, folder)) ?? launch(definition, folder, lifetime),
  );
}

async function folderOf(definition: ServiceDefinition, lifetime: Lifetime): Promise<string> {
  if (lifetime.kind === 'private') return privateFolder(definition.name);
  if (lifetime.kind === 'run') return sharedFolder(definition.name, lifetime.run);
  return projectFolder(definition.name, lifetime.project, await definition.user?.());
}

/** A lease on the server that somebody else has started in the folder and that serves; else the folder is made free. */
async function joinServer(definition: ServiceDefinition, folder: string): Promise<Started | undefined> {
  const guard = await Guard.connect(folder);
  const record = readRecord(folder);
  if (guard && record?.port !== undefined && (await guard.pid()) !== undefined) {
    const plan = await choosePlan(definition, { folder, durable: guard.state.keepData, secret: record.secret });
    return { host: new ServerHost(definition, plan, folder, record.secret, guard, record.port), resolution: plan.how };
  }
  // Its starter died before the server was ready.
  await guard?.end();
  await cleanFolder(folder);
  return undefined;
}

async function launch(definition: ServiceDefinition, folder: string, lifetime: Lifetime): Promise<Started> {
  const keepData = lifetime.kind === 'project';
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const record = readRecord(folder);
  const secret = record?.secret ?? randomBytes(12).toString('hex');
  // Kept before anything is made with it: data of an interrupted first start can still be opened.
  writeRecord(folder, { ...record, secret });
  const plan = await choosePlan(definition, { folder, durable: keepData, secret }).catch((error: unknown) => {
    if (!keepData) rmSync(folder, { recursive: true, force: true });
    throw error;
  });
  // Logs of earlier starts would grow for as long as the project lives.
  for (const log of ['server.log', 'guard.log']) rmSync(join(folder, log), { force: true });
  const guard = await Guard.start(folder, {
    keepData,
    lingerMs: lifetime.kind === 'private' ? 0 : LINGER_MS,
    endSignal: plan.endSignal,
    endTimeoutMs: END_WITHIN_MS,
    ...(plan.cleanUp && { cleanUp: plan.cleanUp }),
  });
  const host = new ServerHost(definition, plan, folder, secret, guard);
  try {
    await host.prepare();
    await host.start(record?.port);
  } catch (error) {
    await guard.end();
    throw error;
  }
  writeRecord(folder, { secret, port: host.port });
  return { host, resolution: plan.how };
}

async function choosePlan(definition: ServiceDefinition, place: LaunchPlace): Promise<LaunchPlan> {
  const native = await definition.native?.(place);
  if (native) return native;
  const problem = definition.docker ? await dockerProblem() : NO_IMAGE;
  if (problem === undefined && definition.docker) return dockerPlan(definition.name, definition.docker, place);
  throw new ServiceMissingError(definition.name, definition.env, problem ?? '', definition.missing);
}

function describe(
  { name, env }: ServiceDefinition,
  resolution: Resolution,
  url: string,
  variable = env[0] ?? '',
): Omit<RunningService, 'stop'> {
  return { name, variable, resolution, url, address: withoutSecrets(url) };
}

/** Host, port and path of an address; nothing else of it is fit to be shown. */
export function withoutSecrets(url: string): string {
  // Hosts and ports, such as those of brokers, are no URL.
  if (/^([\w.-]+:\d+)(,\s*[\w.-]+:\d+)*$/.test(url)) return url;
  if (!URL.canParse(url)) return '(set)';
  const { host, pathname } = new URL(url);
  return `${host}${pathname === '/' ? '' : pathname}`;
}

/** What has to be known of a server by those who come later. */
interface ServerRecord {
  secret: string;
  port?: number;
}

function readRecord(folder: string): ServerRecord | undefined {
  const file = join(folder, 'server.json');
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as ServerRecord) : undefined;
}

function writeRecord(folder: string, record: ServerRecord): void {
  const file = join(folder, 'server.json');
  writeFileSync(`${file}.new`, JSON.stringify(record), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
