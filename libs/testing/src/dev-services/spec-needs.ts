import { ServiceMissingError } from '../errors.js';
import { dockerProblemNow } from './docker.plan.js';
import type { ServiceDefinition } from './service.definition.js';

/** What jest-environment.cjs offers to the specs that run in it. */
interface SpecEnvironment {
  /** Skips the block that is being defined. */
  skip(reason: string): void;
  /** What `compute` returned the first time that this process asked. */
  remember<Value>(name: string, compute: () => Value): Value;
}

/**
 * Skips the specs of the block that is being defined, with the reason, when a server that they need cannot be had. They fail instead with `CI`
 * set, where a server that is missing is a mistake, and in every environment of Jest but this package's.
 */
export function needServices(services: readonly ServiceDefinition[]): void {
  const environment = (globalThis as { [name: symbol]: unknown })[Symbol.for('core-infra.testing')] as
    SpecEnvironment | undefined;
  if (!environment || isSet(process.env.CI)) return;
  const missing = services.map(service => whyMissing(service, environment)).find(reason => reason !== undefined);
  if (missing) environment.skip(`${missing.problem} ${missing.fix}`);
}

function whyMissing(service: ServiceDefinition, environment: SpecEnvironment): ServiceMissingError | undefined {
  const { name, env, docker, missing, native } = service;
  if (env.some(variable => process.env[variable])) return undefined;
  if (service.isInstalled ? service.isInstalled() : native) return undefined;
  const problem = docker ? environment.remember('docker', dockerProblemNow) : NO_IMAGE;
  return problem === undefined ? undefined : new ServiceMissingError(name, env, problem, missing);
}

/** What is said of Docker when it is no way to have a server. */
export const NO_IMAGE = 'there is no image of it';

function isSet(flag: string | undefined): boolean {
  return flag !== undefined && !['', '0', 'false'].includes(flag);
}
