import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { uniqueName } from '../helpers/unique-name.js';
import type { DockerImage, LaunchPlace, LaunchPlan } from './service.definition.js';

/** How long the engine may take to say that it is there, in milliseconds. */
const ENGINE_ANSWERS_WITHIN_MS = 5_000;

const ASK = ['version', '--format', '{{.Server.Version}}'];
// The environment is said explicitly, because Jest's `process.env` is a copy that children do not get by themselves.
const limits = (): { timeout: number; env: NodeJS.ProcessEnv } => ({
  timeout: ENGINE_ANSWERS_WITHIN_MS,
  env: process.env,
});

/** Why Docker cannot be used here; `undefined` when an engine answers. */
export async function dockerProblem(): Promise<string | undefined> {
  try {
    await promisify(execFile)('docker', ASK, limits());
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

/** The same at once, for who cannot wait. */
export function dockerProblemNow(): string | undefined {
  try {
    execFileSync('docker', ASK, { ...limits(), stdio: 'ignore' });
    return undefined;
  } catch (error) {
    return problemOf(error);
  }
}

function problemOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'Docker is not installed' : 'no Docker engine answers';
}

/** Runs the image in the foreground of a `docker` client, which the guard owns, and removes the container at the end. */
export function dockerPlan(service: string, image: DockerImage, place: LaunchPlace): LaunchPlan {
  const name = uniqueName(`core-infra-${service}`).replaceAll('_', '-');
  return {
    how: 'docker',
    start: port => {
      const variables = Object.entries(image.env(place.secret, port));
      return {
        command: 'docker',
        args: [
          'run',
          '--rm',
          '--name',
          name,
          '--publish',
          `127.0.0.1:${port}:${image.port}`,
          // Only the names: values in arguments could be read by anybody on the machine.
          ...variables.flatMap(([variable]) => ['--env', variable]),
          ...(place.durable ? ['--volume', `core-infra-${service}:${image.data}`] : []),
          image.image,
          ...(image.args?.(place) ?? []),
        ],
        env: Object.fromEntries(variables),
      };
    },
    stopSignal: 'SIGTERM',
    endSignal: 'SIGTERM',
    cleanUp: ['docker', 'rm', '--force', '--volumes', name],
    isTransient: log => /port is already allocated|address already in use|is already in use by container/i.test(log),
  };
}
