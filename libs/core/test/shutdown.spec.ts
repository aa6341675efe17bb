import { type Child, eventually, httpAdapters, runChild } from '@core-infra/testing';
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ShutdownReport } from '@core-infra/core';

const file = join(__dirname, 'fixtures/serve.ts');

function serve(env: Record<string, string>): Child {
  return runChild(file, {
    env: {
      NODE_ENV: 'production',
      HTTP_PORT: '0',
      HTTP_HOST: '127.0.0.1',
      LOGGING_FORMAT: 'json',
      SHUTDOWN_DELAY_MS: '0',
      ...env,
    },
  });
}

async function urlOf(child: Child): Promise<string> {
  const [, url] = await child.waitForLine(/Listening on (http:\/\/[\d.:]+)/);
  return url!;
}

function reportOf(child: Child): ShutdownReport {
  const line = child.lines.find(text => text.startsWith('{') && text.includes('"shutdown":'));
  return (JSON.parse(line ?? '{}') as { shutdown: ShutdownReport }).shutdown;
}

interface Answer {
  status: number;
  connection?: string;
  body: string;
}

/** One request on an agent of our own, so that keep-alive is really used. */
function request(url: string, agent: Agent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, response => {
      let body = '';
      response.setEncoding('utf8').on('data', chunk => (body += chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, connection: response.headers.connection, body }),
      );
    }).on('error', reject);
  });
}

describe.each(httpAdapters)('SIGTERM on %s', adapter => {
  it('under load fails no request, finishes pending work and exits with 0', async () => {
    const child = serve({ ADAPTER: adapter, SHUTDOWN_DELAY_MS: '700' });
    const url = await urlOf(child);
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const probes = new Agent({ keepAlive: false });
    const answers: Answer[] = [];
    const failures: unknown[] = [];
    const closing: Answer[] = [];
    let ready = true;
    let signalled = false;
    const send = async (path: string) => {
      const during = signalled;
      const answer = await request(url + path, agent).catch((error: unknown) => void failures.push(error));
      if (answer) (during ? closing : answers).push(answer);
    };
    // What a load balancer does: it sends until readiness falls.
    const balancer = (async () => {
      while (ready) {
        ready = await request(`${url}/health/ready`, probes).then(
          ({ status }) => status === 200,
          () => false,
        );
        await sleep(20);
      }
    })();
    const clients = Array.from({ length: 8 }, async () => {
      while (ready) {
        await send('/fast');
        await sleep(5);
      }
    });
    const long = send('/slow/1500'); // longer than the delay
    await child.waitForLine(/SLOW began/);
    await eventually(() => expect(answers.length + failures.length).toBeGreaterThanOrEqual(300), { timeoutMs: 20_000 });
    signalled = true;
    child.kill('SIGTERM');
    await Promise.all([balancer, long, ...clients]);
    await expect(child.exit).resolves.toEqual({ code: 0, signal: null });

    expect(failures).toEqual([]);
    expect(
      [...answers, ...closing].filter(answer => answer.status !== 200 || !answer.body.includes('"open":true')),
    ).toEqual([]);
    expect(answers.length).toBeGreaterThanOrEqual(300);
    expect(child.lines.filter(line => line.includes('LOST'))).toEqual([]);
    expect(child.lines.some(line => line.startsWith('DRAINED after'))).toBe(true);
    const report = reportOf(child);
    expect(report).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', problems: [] });
    expect(report.phases.map(({ phase }) => phase)).toEqual(['delay', 'drain', 'http', 'close']);
    expect(report.phases[3]!.connections).toEqual([expect.objectContaining({ id: 'store', outcome: 'done' })]);
    agent.destroy();
  });

  it('answers a request in flight with Connection: close and its result, before the store is closed', async () => {
    const child = serve({ ADAPTER: adapter });
    const url = await urlOf(child);
    const agent = new Agent({ keepAlive: true });
    await request(`${url}/fast`, agent); // the socket is kept alive from here
    const inFlight = request(`${url}/slow/400`, agent);
    await child.waitForLine(/SLOW began/);
    child.kill('SIGTERM');
    await expect(inFlight).resolves.toEqual({ status: 200, connection: 'close', body: '{"open":true}' });
    await expect(child.exit).resolves.toEqual({ code: 0, signal: null });
    agent.destroy();
  });

  it('cuts a request that overruns its budget, and says so with code 1', async () => {
    const child = serve({ ADAPTER: adapter, SHUTDOWN_REQUEST_TIMEOUT_MS: '150' });
    const url = await urlOf(child);
    const agent = new Agent({ keepAlive: true });
    const inFlight = request(`${url}/slow/60000`, agent);
    const ended = expect(inFlight).rejects.toMatchObject({ code: 'ECONNRESET' });
    await child.waitForLine(/SLOW began/);
    child.kill('SIGTERM');
    await ended;
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child)).toMatchObject({
      outcome: 'abandoned',
      problems: [expect.stringContaining('shutdown.requestTimeoutMs (150 ms)')],
    });
    agent.destroy();
  });
});

describe('a step that does not end', () => {
  it.each(['drain', 'close'])('is named and abandoned: %s', async stage => {
    const child = serve({ ADAPTER: 'fastify', HANG: stage, STORE_SHUTDOWN_TIMEOUT_MS: '100' });
    await urlOf(child);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child)).toMatchObject({
      outcome: 'abandoned',
      problems: [
        `store ${stage} abandoned: store did not ${stage} within 100 ms. Look at the server, or raise the budget of that step.`,
      ],
    });
    expect(child.lines.includes('CLOSED')).toBe(stage === 'drain');
  });

  it('is bounded by the deadline of the whole', async () => {
    const child = serve({ ADAPTER: 'fastify', HANG: 'close', SHUTDOWN_TIMEOUT_MS: '300' });
    await urlOf(child);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child).outcome).toBe('abandoned');
  });

  it('that fails makes the code 1 as well', async () => {
    const child = serve({ ADAPTER: 'fastify', FAIL: 'close' });
    await urlOf(child);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child)).toMatchObject({ outcome: 'failed', problems: ['store close failed: close went wrong'] });
  });

  it('is ended at once by a second signal', async () => {
    const child = serve({ ADAPTER: 'fastify', HANG: 'close' });
    await urlOf(child);
    child.kill('SIGTERM');
    await child.waitForLine(/shutting down/);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 143, signal: null });
  });
});
