import { setTimeout as sleep } from 'node:timers/promises';
import { AppInfo, AppState, Connections, reasonOf, type StepReport } from '@core-infra/kernel';
import type { INestApplication, INestApplicationContext } from '@nestjs/common';
import type { ConnectionCloser } from './connection-closer.js';
import { ShutdownConfig } from './shutdown.config.js';
import type { ShutdownPhase, ShutdownReport } from './shutdown-report.js';

const idleSweepMs = 50;
/** The share of the deadline that requests in flight leave to those who close after them. */
const closeShare = 0.1;

/** What a shutdown acts on. */
export interface ShutdownTarget {
  readonly app: INestApplicationContext | INestApplication;
  /** For an application that serves HTTP. */
  readonly closer?: ConnectionCloser;
}

/**
 * Ends an application in order: readiness falls and keep-alive ends, the delay passes while it goes on serving, work drains,
 * HTTP finishes what is in flight, connections close. The whole has one deadline; what overruns is named and left behind.
 */
export async function shutDown({ app, closer }: ShutdownTarget, reason: string): Promise<ShutdownReport> {
  const config = app.get(ShutdownConfig, { strict: false });
  const state = app.get(AppState, { strict: false });
  const connections = app.get(Connections, { strict: false });
  const began = performance.now();
  const deadline = began + config.timeoutMs;
  const phases: ShutdownPhase[] = [];
  const problems: string[] = [];
  const since = (start: number) => Math.round(performance.now() - start);

  state.beginShutdown(deadline);
  closer?.endKeepAlive();
  await sleep(Math.min(config.delayMs ?? defaultDelayMs(app), config.timeoutMs * (1 - closeShare)));
  phases.push({ phase: 'delay', durationMs: since(began) });

  const http = { began: 0, budgetMs: 0, endedAfterMs: undefined as number | undefined, cut: 0 };
  if (closer && isHttp(app))
    watchHttp(app, closer, http, () =>
      Math.min(config.requestTimeoutMs, deadline - performance.now() - config.timeoutMs * closeShare),
    );
  const closing = performance.now();
  const abandoned = Symbol('abandoned');
  const late = new AbortController();
  const ended = await Promise.race([
    app.close().then(
      () => undefined,
      (error: unknown) => void problems.push(`a shutdown hook failed: ${reasonOf(error)}`),
    ),
    sleep(Math.max(0, deadline - performance.now()), abandoned, { signal: late.signal }).catch(() => undefined),
  ]);
  late.abort();

  const steps = connections.shutdownReport;
  const drained = steps.filter(step => step.stage === 'drain');
  phases.push({ phase: 'drain', durationMs: longest(drained), connections: drained.map(brief) });
  if (closer)
    phases.push({
      phase: 'http',
      durationMs: http.endedAfterMs ?? (http.began ? since(http.began) : 0),
      cut: http.cut,
    });
  const closed = steps.filter(step => step.stage === 'close');
  phases.push({ phase: 'close', durationMs: longest(closed), connections: closed.map(brief) });
  for (const step of steps)
    if (step.outcome !== 'done') problems.push(`${step.id} ${step.stage} ${step.outcome}: ${reasonOf(step.error)}`);
  if (http.cut > 0)
    problems.push(
      `${http.cut} requests or upgraded connections were cut after ${http.budgetMs} ms, ` +
        `by shutdown.requestTimeoutMs (${config.requestTimeoutMs} ms) or as the end of shutdown.timeoutMs (${config.timeoutMs} ms) was near`,
    );
  if (ended === abandoned) {
    const at =
      http.began && http.endedAfterMs === undefined ? 'requests in flight' : "the application's shutdown hooks";
    problems.push(`${at} did not end within shutdown.timeoutMs (${config.timeoutMs} ms, ${since(closing)} of them)`);
  }
  const anyAbandoned = ended === abandoned || steps.some(step => step.outcome === 'abandoned') || http.cut > 0;
  return {
    reason,
    durationMs: since(began),
    outcome: anyAbandoned ? 'abandoned' : problems.length > 0 ? 'failed' : 'clean',
    phases,
    problems,
  };
}

function defaultDelayMs(app: INestApplicationContext): number {
  const { environment } = app.get(AppInfo, { strict: false });
  return environment === 'production' || environment === 'staging' ? 5_000 : 0;
}

function isHttp(app: INestApplicationContext | INestApplication): app is INestApplication {
  return 'getHttpAdapter' in app;
}

/** Nest closes the adapter between drain and close: from that moment requests in flight have their own budget. */
function watchHttp(
  app: INestApplication,
  closer: ConnectionCloser,
  http: { began: number; budgetMs: number; endedAfterMs?: number; cut: number },
  budgetMs: () => number,
): void {
  const adapter = app.getHttpAdapter() as { close(): Promise<unknown> };
  const close = adapter.close.bind(adapter);
  adapter.close = async () => {
    http.began = performance.now();
    const sweep = setInterval(() => closer.closeIdle(), idleSweepMs);
    http.budgetMs = Math.max(0, Math.round(budgetMs()));
    const cut = setTimeout(() => (http.cut = closer.cutAll()), http.budgetMs);
    try {
      return await close();
    } finally {
      clearInterval(sweep);
      clearTimeout(cut);
      http.endedAfterMs = Math.round(performance.now() - http.began);
    }
  };
}

const longest = (steps: readonly StepReport[]) => Math.max(0, ...steps.map(step => step.durationMs));
const brief = ({ id, durationMs, outcome }: StepReport) => ({ id, durationMs, outcome });
