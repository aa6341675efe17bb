import { type Child, httpAdapters, runChild } from '@core-infra/testing';
import { once } from 'node:events';
import { Agent, get } from 'node:http';
import type { Socket } from 'node:net';
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
    const delayMs = 800;
    const child = serve({ ADAPTER: adapter, SHUTDOWN_DELAY_MS: String(delayMs) });
    const url = await urlOf(child);
    const agent = new Agent({ keepAlive: true, maxSockets: 20 });
    const slow = new Agent({ keepAlive: true });
    const probes = new Agent({ keepAlive: false });
    const sent: Promise<void>[] = [];
    const answers: Answer[] = [];
    const failures: unknown[] = [];
    const send = (path: string, by: Agent) =>
      sent.push(
        request(url + path, by).then(
          answer => void answers.push(answer),
          (error: unknown) => void failures.push(error),
        ),
      );
    // What a load balancer does: it sends until readiness falls.
    let ready = true;
    const balancer = (async () => {
      while (ready) {
        ready = await request(`${url}/health/ready`, probes).then(
          ({ status }) => status === 200,
          () => false,
        );
        await sleep(20);
      }
    })();
    // By the clock and not by the answers: however slow the app is, 250 requests a second are sent to it.
    const perSecond = 250;
    const began = performance.now();
    let signalled = false;
    for (let due = 0; ready; await sleep(4)) {
      for (; due < ((performance.now() - began) / 1_000) * perSecond; due += 1) {
        send('/fast', agent);
        if (due % 50 === 0) send(`/slow/${delayMs * 2}`, slow); // longer than the delay
      }
      if (signalled || due < 500) continue;
      signalled = true;
      child.kill('SIGTERM');
    }
    await Promise.all([balancer, ...sent]);
    await expect(child.exit).resolves.toEqual({ code: 0, signal: null });

    expect(failures).toEqual([]);
    expect(answers.filter(answer => answer.status !== 200 || !answer.body.includes('"open":true'))).toEqual([]);
    expect(answers.length).toBeGreaterThanOrEqual(510);
    expect(child.lines.filter(line => line.includes('LOST'))).toEqual([]);
    expect(child.lines.some(line => line.startsWith('DRAINED after'))).toBe(true);
    const report = reportOf(child);
    expect(report).toMatchObject({ reason: 'SIGTERM', outcome: 'clean', problems: [] });
    expect(report.durationMs).toBeLessThan(25_000 / 2);
    expect(report.phases.map(({ phase }) => phase)).toEqual(['delay', 'drain', 'http', 'close']);
    expect(report.phases[3]!.connections).toEqual([expect.objectContaining({ id: 'store', outcome: 'done' })]);
    agent.destroy();
    slow.destroy();
  });

  it('goes on serving during the delay, not ready, and ends keep-alive with every answer', async () => {
    const child = serve({ ADAPTER: adapter, SHUTDOWN_DELAY_MS: '20000' });
    const url = await urlOf(child);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    await expect(request(`${url}/fast`, agent)).resolves.toMatchObject({ status: 200, connection: 'keep-alive' });
    child.kill('SIGINT');
    await child.waitForLine(/SIGINT: shutting down/);
    for (const path of ['/fast', '/slow/20', '/health/live', '/fast'])
      await expect(request(url + path, agent)).resolves.toMatchObject({ status: 200, connection: 'close' });
    await expect(request(`${url}/health/ready`, agent)).resolves.toMatchObject({ status: 503, connection: 'close' });
    await expect(request(`${url}/nowhere`, agent)).resolves.toMatchObject({ status: 404, connection: 'close' });
    child.kill('SIGINT');
    await expect(child.exit).resolves.toEqual({ code: 130, signal: null });
    agent.destroy();
  });

  it('cuts an answer without end and an upgraded socket', async () => {
    const child = serve({ ADAPTER: adapter, SHUTDOWN_REQUEST_TIMEOUT_MS: '150' });
    const url = await urlOf(child);
    const stream = await fetch(`${url}/stream`);
    const cut = expect(stream.text()).rejects.toThrow();
    const upgraded = get(url, { headers: { connection: 'Upgrade', upgrade: 'echo' } });
    const [, socket] = (await once(upgraded, 'upgrade')) as [unknown, Socket];
    const closed = once(socket.resume(), 'close');
    child.kill('SIGTERM');
    await Promise.all([cut, closed]);
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child)).toMatchObject({
      outcome: 'abandoned',
      problems: [expect.stringContaining('2 requests or upgraded connections were cut after 150 ms')],
    });
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

  it("is bounded so where it is a hook of the app's own", async () => {
    const child = serve({ ADAPTER: 'fastify', HANG: 'hook', SHUTDOWN_TIMEOUT_MS: '300' });
    await urlOf(child);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(reportOf(child).problems).toEqual([
      expect.stringContaining("the application's shutdown hooks did not end within shutdown.timeoutMs (300 ms"),
    ]);
  });

  it('leaves time to close to what comes after requests that do not end', async () => {
    const child = serve({ ADAPTER: 'fastify', SHUTDOWN_TIMEOUT_MS: '2000', SHUTDOWN_DELAY_MS: '500' });
    const url = await urlOf(child);
    const cut = expect(request(`${url}/slow/60000`, new Agent())).rejects.toMatchObject({ code: 'ECONNRESET' });
    await child.waitForLine(/SLOW began/);
    child.kill('SIGTERM');
    await cut;
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(child.lines).toContain('CLOSED');
    expect(reportOf(child).problems).toEqual([expect.stringMatching(/^1 requests or upgraded connections were cut/)]);
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
