import {
  appOf,
  type AppState,
  type Connections,
  type ConnectionStage,
  connectionStages,
  type Metric,
  type Operation,
  operations,
} from '@core-infra/kernel';
import { type Ended, onEnd } from './on-end.js';
import type { MetricRegistry } from './metric.registry.js';
import { operationTable } from './operation.table.js';

/** Counts and times every operation of the app's connections, and follows their states. */
export class OperationMetrics {
  private readonly stops = new Map<string, () => void>();
  /** How the last check or opening of a connection ended. */
  private readonly up = new Map<string, boolean>();
  /** How the last run of a health check ended. */
  private readonly checks = new Map<string, boolean>();
  private readonly durations;
  private readonly stages;

  constructor(
    private readonly registry: MetricRegistry,
    private readonly connections: Connections,
    private readonly state: AppState,
    private readonly excluded: ReadonlySet<string>,
  ) {
    this.durations = registry.histogram(
      'infra_operation_duration_seconds',
      'How long calls to servers, caches, brokers and checks took.',
      ['component', 'connection', 'operation', 'outcome'],
    );
    this.stages = registry.counter(
      'infra_connection_stages_total',
      'How often a connection was opened, checked, drained and closed.',
      ['connection', 'stage', 'outcome'],
    );
    this.stops.set(
      'connection',
      onEnd(connectionStages, stage => this.passed(stage)),
    );
  }

  /** Subscribes to what has come since: a module may be loaded later. */
  follow(): void {
    for (const component of ['health', ...componentsOf(this.connections)]) {
      if (this.stops.has(component) || this.excluded.has(component)) continue;
      const note = this.ownTimesOf(component);
      this.stops.set(
        component,
        onEnd(operations(component), (call, durationMs) => {
          if (isOfAnother(call, this.state)) return;
          note?.(call, durationMs);
          this.called(component, call, durationMs);
        }),
      );
    }
  }

  stop(): void {
    for (const stop of this.stops.values()) stop();
    this.stops.clear();
  }

  read(): readonly Metric[] {
    return [
      {
        name: 'infra_connection_up',
        help: 'Whether the connection is open and its last check has succeeded.',
        samples: this.connections.list().map(({ id, driver, state }) => ({
          labels: { connection: id, driver },
          value: Number(state === 'open' && this.up.get(id) !== false),
        })),
      },
      {
        name: 'infra_health_check_up',
        help: 'Whether the last run of the check has succeeded.',
        samples: [...this.checks].map(([check, up]) => ({ labels: { check }, value: Number(up) })),
      },
    ];
  }

  private ownTimesOf(component: string): ((call: Operation, durationMs: number) => void) | undefined {
    if (!Object.hasOwn(operationTable, component)) return undefined;
    const { name, help, label, labelOf } = operationTable[component]!;
    const times = this.registry.histogram(name, help, [label]);
    return (call, durationMs) => times.of(labelOf(call))(durationMs);
  }

  private called(component: string, call: Operation & Ended, durationMs: number): void {
    const outcome = 'error' in call ? this.failureOf(call.error) : 'ok';
    // The name of a health check, of which the app has a fixed number.
    if (component === 'health') this.checks.set(call.connection, outcome === 'ok');
    this.durations.of(component, call.connection, call.operation, outcome)(durationMs);
  }

  private passed(stage: ConnectionStage & Ended): void {
    if (isOfAnother(stage, this.state)) return;
    const failed = 'error' in stage;
    if (stage.stage === 'open' || stage.stage === 'check') this.up.set(stage.id, !failed);
    this.stages.of(stage.id, stage.stage, failed ? 'error' : 'ok')();
  }

  /** Whose fault it was, one of four words. */
  private failureOf(error: unknown): string {
    if ((error as { name?: unknown } | undefined)?.name === 'AbortError') return 'cancelled';
    return `${this.connections.classify(error).fault}_error`;
  }
}

/** The concerns of the app's connections: `redis` of `redis:sessions`. */
export function componentsOf(connections: Connections): ReadonlySet<string> {
  return new Set(connections.ids().map(id => id.split(':', 1)[0]!));
}

/** Channels belong to the process, in which there may be a second application. */
function isOfAnother(message: object, state: AppState): boolean {
  const app = appOf(message);
  return app !== undefined && app !== state;
}
