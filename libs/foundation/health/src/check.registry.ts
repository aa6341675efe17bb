import { Inject, Injectable, Logger, type OnModuleInit, Optional } from '@nestjs/common';
import { DiscoveryService, ModulesContainer } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { HealthIndicatorService } from '@nestjs/terminus';
import {
  AppState,
  Clock,
  Connections,
  type HealthChange,
  HEALTH_CONTRIBUTOR,
  healthChanges,
  type HealthContributing,
  type HealthContribution,
} from '@core-infra/kernel';
import type { CheckDefinition } from './check.definition.js';
import { CheckMonitor } from './check.monitor.js';
import { DuplicateCheckError, HealthRegisteredTwiceError, InvalidCheckError } from './errors.js';
import { HealthConfig } from './health.config.js';
import type { CheckReport } from './health.report.js';
import { builtInChecks } from './indicators/built-in.checks.js';

/** Called after each change of a check's state. */
export type HealthListener = (change: HealthChange) => void;

const reserved = new Set(['live', 'ready', 'startup']);

/** Every check of the app: those of connections, of decorated providers, of the process itself, and those added by hand. */
@Injectable()
export class CheckRegistry implements OnModuleInit {
  private readonly logger = new Logger('Health');
  private readonly monitors = new Map<string, CheckMonitor>();
  private readonly listeners = new Set<HealthListener>();
  private readonly clock: Clock;

  constructor(
    private readonly config: HealthConfig,
    private readonly connections: Connections,
    private readonly discovery: DiscoveryService,
    private readonly indicators: HealthIndicatorService,
    @Inject(ModulesContainer) private readonly modules: ModulesContainer,
    private readonly state: AppState,
    @Optional() clock?: Clock,
  ) {
    this.clock = clock ?? Clock.system;
  }

  /** By now every provider exists, so every connection is registered.
   * @throws DuplicateCheckError
   * @throws InvalidCheckError
   * @throws HealthRegisteredTwiceError
   */
  onModuleInit(): void {
    this.assertAlone();
    for (const check of this.connections.checks()) this.add({ ...check, owner: `the connection "${check.name}"` });
    for (const check of builtInChecks(this.config)) this.add(check);
    const seen = new Set<unknown>(); // a factory may hand on what another provider made
    for (const wrapper of this.discovery.getProviders()) {
      const contribution = contributionOf(wrapper);
      if (!contribution || seen.has(wrapper.instance)) continue;
      seen.add(wrapper.instance);
      this.add(contributed(contribution, wrapper));
    }
  }

  /** @throws DuplicateCheckError, InvalidCheckError */
  add(definition: CheckDefinition): CheckMonitor {
    const { name } = definition;
    if (!/^[\w.-]{1,64}$/.test(name))
      throw new InvalidCheckError(
        name,
        'has a name that cannot be in a path',
        'Use letters, digits, "_", "." and "-", at most 64.',
      );
    if (reserved.has(name))
      throw new InvalidCheckError(
        name,
        `has the name of the route /${name}`,
        `Names other than ${[...reserved].join(', ')} are free.`,
      );
    const taken = this.monitors.get(name);
    if (taken) throw new DuplicateCheckError(name, [taken.definition.owner, definition.owner]);
    const monitor = new CheckMonitor(definition, {
      indicators: this.indicators,
      config: this.config,
      clock: this.clock,
      app: this.state,
      changed: (change, check) => this.announce(change, check),
    });
    this.monitors.set(name, monitor);
    return monitor;
  }

  remove(monitor: CheckMonitor): void {
    if (this.monitors.get(monitor.definition.name) === monitor) this.monitors.delete(monitor.definition.name);
  }

  get(name: string): CheckMonitor | undefined {
    return this.monitors.get(name);
  }

  all(): CheckMonitor[] {
    return [...this.monitors.values()];
  }

  names(): string[] {
    return [...this.monitors.keys()];
  }

  listen(listener: HealthListener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  private announce(change: HealthChange, check: CheckReport): void {
    const { name, from, to } = change;
    const fields = {
      check: name,
      from,
      to,
      critical: check.critical,
      ...(check.reason && to !== 'up' && { reason: check.reason }),
    };
    const text = `${name} is ${to}${to === 'up' ? ' again' : check.reason ? `: ${check.reason}` : ''}`;
    if (to === 'up') this.logger.log(text, fields);
    else if (to === 'down' && check.critical) this.logger.error(text, fields);
    else this.logger.warn(text, fields);
    healthChanges.publish(change);
    for (const listener of this.listeners) this.tell(listener, change);
  }

  /** A listener that fails is its own problem: the others hear of the change all the same. */
  private tell(listener: HealthListener, change: HealthChange): void {
    try {
      listener(change);
    } catch (error) {
      this.logger.error(`A listener of HealthService.onChange failed: ${String(error)}`);
    }
  }

  private assertAlone(): void {
    const holders = [...this.modules.values()].filter(module => module.providers.has(CheckRegistry));
    if (holders.length < 2) return;
    const importers = [...this.modules.values()].filter(
      module => !holders.includes(module) && !module.isGlobal && holders.some(holder => module.imports.has(holder)),
    );
    throw new HealthRegisteredTwiceError([...new Set(importers.map(module => module.name))]);
  }
}

/** Of the class itself, or of what a factory or a value provider holds. */
function contributionOf({ metatype, instance, isAlias }: InstanceWrapper): HealthContribution | undefined {
  if (isAlias) return undefined;
  const made = typeof instance === 'object' && instance !== null ? (instance as object).constructor : undefined;
  for (const target of [metatype, made]) {
    const found: unknown = typeof target === 'function' && Reflect.getMetadata(HEALTH_CONTRIBUTOR, target);
    if (found) return found as HealthContribution;
  }
  return undefined;
}

function contributed(contribution: HealthContribution, wrapper: InstanceWrapper): CheckDefinition {
  const { name, critical, timeoutMs } = contribution;
  const owner = `${String(wrapper.name)} in ${wrapper.host?.name ?? 'an unknown module'}`;
  if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient)
    throw new InvalidCheckError(
      name,
      `is that of ${owner}, which exists once per request`,
      'Move the check to a provider of the default scope.',
    );
  const instance = wrapper.instance as Partial<HealthContributing> | undefined;
  if (typeof instance?.check !== 'function')
    throw new InvalidCheckError(
      name,
      `is that of ${owner}, which has no method check(signal)`,
      'Add it: it resolves when all is well and rejects when not.',
    );
  return { name, owner, critical, timeoutMs, run: signal => (instance as HealthContributing).check(signal) };
}
