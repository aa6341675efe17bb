import { channel } from 'node:diagnostics_channel';
import { appOf, type AppState, type Connections } from '@core-infra/kernel';
import { type EventFields, type EventMetric, eventTable } from './event.table.js';
import type { MetricRegistry } from './metric.registry.js';
import { componentsOf } from './operation.metrics.js';

/** Counts what the app's components tell on their event channels, by {@link eventTable}. */
export class EventMetrics {
  private readonly stops = new Map<string, () => void>();

  constructor(
    private readonly registry: MetricRegistry,
    private readonly connections: Connections,
    private readonly state: AppState,
    private readonly excluded: ReadonlySet<string>,
  ) {}

  /** Subscribes to what has come since: a module may be loaded later. */
  follow(): void {
    for (const component of componentsOf(this.connections)) {
      if (this.stops.has(component) || this.excluded.has(component)) continue;
      if (Object.hasOwn(eventTable, component)) this.subscribe(component);
    }
  }

  stop(): void {
    for (const stop of this.stops.values()) stop();
    this.stops.clear();
  }

  private subscribe(component: string): void {
    const { channel: name, metrics } = eventTable[component]!;
    const takers = metrics.map(metric => takerOf(this.registry, metric));
    const listen = (message: unknown): void => {
      const event = message as EventFields;
      if (!this.isOurs(event)) return;
      for (const take of takers) take(event);
    };
    const events = channel(name);
    events.subscribe(listen);
    this.stops.set(component, () => events.unsubscribe(listen));
  }

  /** Channels belong to the process, in which there may be a second application. */
  private isOurs(event: EventFields): boolean {
    const app = appOf(event);
    return app === undefined || app === this.state;
  }
}

function takerOf(registry: MetricRegistry, metric: EventMetric): (event: EventFields) => void {
  const { name, help, labels, kinds, unlessEmpty, count, durationMs } = metric;
  const counts = (event: EventFields): boolean =>
    (!kinds || kinds.includes(String(event.kind))) &&
    (unlessEmpty === undefined || (event[unlessEmpty] as readonly unknown[]).length > 0);
  const valuesOf = (event: EventFields): string[] => labels.map(label => textOf(event[label]));
  if (durationMs !== undefined) {
    const times = registry.histogram(name, help, labels);
    return event => {
      if (counts(event)) times.of(...valuesOf(event))(Number(event[durationMs]));
    };
  }
  const counter = registry.counter(name, help, labels);
  return event => {
    if (counts(event)) counter.of(...valuesOf(event))(count === undefined ? 1 : Number(event[count]));
  };
}

function textOf(value: unknown): string {
  return typeof value === 'string' || typeof value === 'boolean' ? String(value) : '';
}
