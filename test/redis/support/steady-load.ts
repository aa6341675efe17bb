import { Agent, get } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What one phase of a load was like; a latency counts from the time at which the request was due. */
export interface Phase {
  readonly name: string;
  readonly requests: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** The request that is due: where to, and what is done with its answer. */
export interface Due {
  readonly url: string;
  answered(body: string): void;
}

/** Requests at a steady pace, whether those before have been answered or not. */
export class SteadyLoad implements AsyncDisposable {
  /** Whatever was not answered, or not with 200. */
  readonly failures: string[] = [];
  private readonly phases = new Map<string, number[]>();
  private readonly agent = new Agent({ keepAlive: true, maxSockets: 256 });
  private readonly pending: Promise<void>[] = [];
  private readonly loop: Promise<void>;
  private current: number[] = [];
  private isOver = false;

  constructor(
    perSecond: number,
    private readonly next: (at: number) => Due,
  ) {
    this.loop = this.run(perSecond);
  }

  /** What is due from now on counts for this phase. */
  enter(name: string): void {
    this.phases.set(name, (this.current = []));
  }

  /** Resolves once all requests have been answered, or have failed. */
  async stop(): Promise<Phase[]> {
    this.isOver = true;
    await this.loop;
    await Promise.all(this.pending);
    this.agent.destroy();
    return [...this.phases].map(([name, latencies]) => {
      const sorted = latencies.toSorted((one, other) => one - other);
      const at = (ratio: number) => sorted[Math.floor(ratio * (sorted.length - 1))] ?? Number.NaN;
      return { name, requests: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  private async run(perSecond: number): Promise<void> {
    const start = performance.now();
    for (let at = 0; !this.isOver;) {
      const due = start + (at * 1_000) / perSecond;
      if (performance.now() < due) await sleep(1);
      else this.pending.push(this.send(this.next(at++), due, this.current));
    }
  }

  private send({ url, answered }: Due, due: number, latencies: number[]): Promise<void> {
    return new Promise<void>(done => {
      const end = (failure?: string) => {
        latencies.push(performance.now() - due);
        if (failure) this.failures.push(`${url}: ${failure}`);
        done();
      };
      const sent = get(url, { agent: this.agent, timeout: 10_000 }, response => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk));
        response.once('error', error => end(error.message));
        response.once('end', () => {
          if (response.statusCode === 200) answered(body);
          end(response.statusCode === 200 ? undefined : `${response.statusCode} ${body}`);
        });
      });
      sent.once('timeout', () => sent.destroy(new Error('no answer within 10 s')));
      sent.once('error', error => end(error.message));
    });
  }
}

/** Phases as a table of Markdown. */
export function tableOf(phases: readonly Phase[]): string {
  const rows = phases.map(({ name, requests, ...times }) => {
    const [p50, p99, max] = [times.p50Ms, times.p99Ms, times.maxMs].map(ms => ms.toFixed(1));
    return `| ${name} | ${requests.toLocaleString('en')} | ${p50} | ${p99} | ${max} |`;
  });
  return ['| Phase | Requests | p50, ms | p99, ms | Longest, ms |', '| --- | --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}
