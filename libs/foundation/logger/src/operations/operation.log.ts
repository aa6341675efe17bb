import { type Operation, operations } from '@core-infra/kernel';
import type { LogLevel, LogThreshold } from '../levels.js';
import type { LoggingConfig } from '../logging.config.js';
import type { AppLogger } from '../logger/app.logger.js';

type Outcome = Operation & { error?: unknown };

/** Writes a line per call of the components that are asked for. Of the others nothing is even subscribed to. */
export class OperationLog {
  private readonly stops: (() => void)[];

  constructor(
    private readonly logger: AppLogger,
    private readonly config: LoggingConfig,
  ) {
    this.stops = [...componentsOf(config)].map(([component, level]) => this.subscribe(component, level));
  }

  stop(): void {
    for (const stop of this.stops.splice(0)) stop();
  }

  private subscribe(component: string, level: LogLevel): () => void {
    const channel = operations(component);
    const started = new WeakMap<object, number>();
    const done = (call: Outcome) => {
      const at = started.get(call);
      if (at === undefined || !started.delete(call)) return;
      this.write(call, performance.now() - at, level);
    };
    const handlers = {
      start: (call: Outcome) => void started.set(call, performance.now()),
      end: (call: Outcome & { result?: unknown }) => {
        // A synchronous call has its outcome at its end; a promise's comes with asyncEnd.
        if (('result' in call && !isThenable(call.result)) || 'error' in call) done(call);
      },
      asyncStart: () => undefined,
      asyncEnd: done,
      error: () => undefined,
    };
    channel.subscribe(handlers as never);
    return () => channel.unsubscribe(handlers as never);
  }

  private write(call: Outcome, durationMs: number, level: LogLevel): void {
    if (durationMs < this.config.operationThresholdMs && !('error' in call)) return;
    const fields: Record<string, unknown> = {
      component: call.component,
      connection: call.connection,
      operation: call.operation,
      duration_ms: Math.round(durationMs * 1_000) / 1_000,
    };
    if (call.resource !== undefined) fields.resource = call.resource;
    if ('error' in call) fields.error_code = codeOf(call.error);
    this.logger.log(level, 'operation', fields);
  }
}

function componentsOf(config: LoggingConfig): Map<string, LogLevel> {
  const { '*': all, ...named } = config.operations;
  const levels = new Map<string, LogThreshold>(
    all === undefined ? [] : config.operationComponents.map(name => [name, all] as const),
  );
  for (const [name, level] of Object.entries(named)) levels.set(name, level);
  return new Map([...levels].filter((entry): entry is [string, LogLevel] => entry[1] !== 'silent'));
}

function codeOf(error: unknown): string {
  const { code, name } = (typeof error === 'object' && error !== null ? error : {}) as {
    code?: unknown;
    name?: unknown;
  };
  return String(code ?? name ?? 'unknown');
}

function isThenable(value: unknown): boolean {
  return typeof (value as { then?: unknown } | undefined)?.then === 'function';
}
