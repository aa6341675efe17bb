import type { DiscoveryService } from '@nestjs/core';
import type { InstanceWrapper } from '@nestjs/core/injector/instance-wrapper.js';
import { METRICS_CONTRIBUTOR, type MetricsContributing } from '@core-infra/kernel';
import { InvalidMetricsContributorError } from '../errors.js';
import type { MetricSource } from './metric.sources.js';

/**
 * The providers that are decorated `@MetricsContributor()`.
 * @throws InvalidMetricsContributorError
 */
export function contributorsOf(discovery: DiscoveryService): readonly MetricSource[] {
  const seen = new Set<unknown>(); // a factory may hand on what another provider made
  const sources: MetricSource[] = [];
  for (const wrapper of discovery.getProviders()) {
    if (!isContributor(wrapper) || seen.has(wrapper.instance)) continue;
    seen.add(wrapper.instance);
    const source = sourceOf(wrapper);
    sources.push({ ...source, name: freeName(source.name, wrapper, sources) });
  }
  return sources;
}

/** By its name a source is asked and told of, and two classes may have one. */
function freeName(name: string, { host }: InstanceWrapper, others: readonly MetricSource[]): string {
  const isFree = (wanted: string): boolean => others.every(other => other.name !== wanted);
  if (isFree(name)) return name;
  const inModule = `${host?.name ?? 'unknown'}.${name}`;
  let wanted = inModule;
  for (let count = 2; !isFree(wanted); count += 1) wanted = `${inModule}#${count}`;
  return wanted;
}

/** By its own class, or by that of what a factory or a value provider holds. */
function isContributor({ metatype, instance, isAlias }: InstanceWrapper): boolean {
  if (isAlias) return false;
  const made = typeof instance === 'object' && instance !== null ? (instance as object).constructor : undefined;
  return [metatype, made].some(
    target => typeof target === 'function' && Reflect.getMetadata(METRICS_CONTRIBUTOR, target) !== undefined,
  );
}

function sourceOf(wrapper: InstanceWrapper): MetricSource {
  const name = String(wrapper.name);
  const owner = `${name} in ${wrapper.host?.name ?? 'an unknown module'}`;
  if (!wrapper.isDependencyTreeStatic() || wrapper.isTransient)
    throw new InvalidMetricsContributorError(
      owner,
      'exists once per request',
      'Move what it reads to a provider of the default scope.',
    );
  const instance = wrapper.instance as Partial<MetricsContributing> | undefined;
  if (typeof instance?.metrics !== 'function')
    throw new InvalidMetricsContributorError(
      owner,
      'has no method metrics(signal)',
      'Add it: it returns what there is to tell, and rejects when it cannot.',
    );
  return { name, read: signal => (instance as MetricsContributing).metrics(signal) };
}
