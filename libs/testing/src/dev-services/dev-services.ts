import { ServiceMissingError } from '../errors.js';
import type { ServiceDefinition } from './service.definition.js';
import { resolveService, type RunningService } from './service.start.js';
import { knownServices } from './services/index.js';

export interface DevServicesOptions {
  /** The folder whose `.dev-services/` keeps the data. @default the working directory */
  project?: string;
  /** @default all that are known */
  services?: readonly ServiceDefinition[];
  /** Where addresses are looked up. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** What an app can do without: taken from the environment only, or also started where that can be done. @default 'environment' */
  optional?: 'environment' | 'start';
}

/** The servers of a project, found or started. */
export interface DevServices extends AsyncDisposable {
  readonly running: readonly RunningService[];
  /** What is missing, each with the command that adds it. */
  readonly missing: readonly ServiceMissingError[];
  /** The variables to run an app with: `POSTGRES_DSN`, … */
  readonly env: Readonly<Record<string, string>>;
  /** One line for each dependency: how it was resolved and its address without secrets. */
  table(): string;
  /** Ends what nobody else uses and resolves when it is gone; the data stay. */
  stop(): Promise<void>;
}

/**
 * Finds or starts the servers of a project. They keep their data in `.dev-services/`, and their port as long as it is free; who starts them
 * a second time joins them.
 *
 * @throws {@link ServiceStartError} when a server that is there does not come up; what had been started is ended.
 */
export async function startDevServices(options: DevServicesOptions = {}): Promise<DevServices> {
  const { project = process.cwd(), services = knownServices, env = process.env, optional = 'environment' } = options;
  const isWanted = (service: ServiceDefinition): boolean =>
    !service.optional || optional === 'start' || service.env.some(variable => env[variable]);
  const results = await Promise.allSettled(
    services.filter(isWanted).map(service => resolveService(service, { kind: 'project', project }, env)),
  );
  const running = results.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []));
  const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason as Error] : []));
  const stop = async (): Promise<void> => {
    await Promise.all(running.map(service => service.stop()));
  };
  const fatal = failures.find(failure => !(failure instanceof ServiceMissingError));
  if (fatal !== undefined) {
    await stop();
    throw fatal;
  }
  const absent = failures.filter(failure => failure instanceof ServiceMissingError);
  const missing = absent.filter(({ service }) => services.some(({ name, optional: can }) => name === service && !can));
  const unused = services.filter(service => !isWanted(service) || (service.optional && isAmong(absent, service)));
  return {
    running,
    missing,
    env: Object.fromEntries(running.map(({ variable, url }) => [variable, url])),
    table: () =>
      alignColumns([
        ['SERVICE', 'RESOLVED BY', 'ADDRESS'],
        ...running.map(({ name, resolution, address }) => [name, resolution, address]),
        ...missing.map(({ service }) => [service, 'missing', '-']),
        ...unused.map(({ name, env: [variable] }) => [name, 'not used', `set ${variable} to use one`]),
      ]),
    stop,
    [Symbol.asyncDispose]: stop,
  };
}

function isAmong(absent: readonly ServiceMissingError[], { name }: ServiceDefinition): boolean {
  return absent.some(({ service }) => service === name);
}

function alignColumns(rows: string[][]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)));
  return rows
    .map(row =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('   ')
        .trimEnd(),
    )
    .join('\n');
}
