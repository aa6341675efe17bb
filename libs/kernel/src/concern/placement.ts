import { type InjectionToken } from '@nestjs/common';

/** Where a registration goes. It decides tokens and imports, so it is known before DI runs: never configuration. */
export interface Placement {
  /** Name of the connection. @default 'default' */
  name: string;
  /** Name of the upstream connection it stands on. @default 'default' */
  on: string;
  /** Whether every module sees it without importing it. @default true */
  isGlobal: boolean;
}

/** The placement that options ask for; what is left out, or is `undefined`, has its default. */
export function placed({ name, on, isGlobal }: Partial<Placement>): Placement {
  return { name: name ?? 'default', on: on ?? 'default', isGlobal: isGlobal ?? true };
}

/** Carried by each registration, so that its importers can be named. */
export class Registered {
  constructor(
    readonly id: string,
    readonly placement: Placement,
  ) {}
}

/** Carried by each `forFeature`, so that two of one port in one module can be refused. */
export class FeatureBinding {
  constructor(
    readonly port: string,
    readonly name: string,
  ) {}
}

/** `database`, or `database:audit`: the id of a connection in health, logs and metrics. */
export function connectionId(concern: string, name = 'default'): string {
  return name === 'default' ? concern : `${concern}:${name}`;
}

/** The DI token of a connection, by names alone, so that a capability can stand on a concern without importing it. */
export function connectionToken<Client = unknown>(concern: string, name = 'default'): InjectionToken<Client> {
  return `core-infra:${connectionId(concern, name)}`;
}

/** The section of the configuration that a connection is read from: `redis`, `redis.connections.sessions`. */
export function connectionSection(section: string, name = 'default'): string {
  return name === 'default' ? section : `${section}.connections.${name}`;
}
