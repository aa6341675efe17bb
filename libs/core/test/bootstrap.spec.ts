import { runChild } from '@core-infra/testing';
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';

const boot = (env: Record<string, string>) =>
  runChild(join(__dirname, 'fixtures/boot.ts'), {
    env: { NODE_ENV: 'production', LOGGING_FORMAT: 'json', SHUTDOWN_DELAY_MS: '0', ...env },
  });

describe('bootstrap', () => {
  it('runs a worker without HTTP until SIGTERM', async () => {
    const child = boot({});
    await child.waitForLine(/Started/);
    child.kill('SIGTERM');
    await expect(child.exit).resolves.toEqual({ code: 0, signal: null });
    expect(child.lines).toEqual(expect.arrayContaining(['CLOSED store', 'CLOSED other']));
  });

  it.each([
    [
      'a connection',
      'connection',
      /INFRA_CONNECT_FAILED: other at tcp:\/\/other\.example:1 could not be opened: password authentication failed/,
    ],
    ['a provider', 'provider', /a provider of the app failed/],
    ['onModuleInit', 'init', /onModuleInit failed/],
    ['onApplicationBootstrap', 'hook', /onApplicationBootstrap failed/],
  ])('exits with 1 when %s fails, after closing what was open, and says so once', async (_name, part, message) => {
    for (const ADAPTER of ['none', 'fastify']) {
      const child = boot({ BREAK: part, ADAPTER, HTTP_PORT: '0' });
      await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
      const failures = child.lines.filter(line => /"level":"(error|fatal)"/.test(line) || !/^(\{|CLOSED)/.test(line));
      expect(failures).toEqual([expect.stringMatching(message)]);
      expect(child.lines).toContain('CLOSED store');
    }
  });

  it('tells why a provider failed in lines of the usual form, without the password in its message', async () => {
    const child = boot({ BREAK: 'provider' });
    await child.exit;
    expect(child.lines.join('\n')).not.toContain('s3cret');
    const lines = child.stdout.filter(line => line.startsWith('{')).map(line => JSON.parse(line) as { level: string });
    expect(lines.at(-1)).toMatchObject({
      level: 'fatal',
      logger: 'Bootstrap',
      msg: expect.stringContaining('no way to postgres://app:****@db/orders'),
    });
  });

  it.each(['hanging-connection', 'hanging-provider'])(
    'closes what is open when a signal comes during the boot (%s)',
    async part => {
      const child = boot({ BREAK: part, OTHER_CONNECT_TIMEOUT_MS: '600000' });
      await child.waitForLine(/HANGING/);
      child.kill('SIGTERM');
      await expect(child.exit).resolves.toEqual({ code: 143, signal: null });
      expect(child.lines).toContain('CLOSED store');
      expect(child.lines.join('\n')).toContain('SIGTERM: the boot was broken off');
    },
  );

  it('shuts down in order when a signal comes while it begins to listen', async () => {
    const child = boot({ BREAK: 'signal', ADAPTER: 'fastify', HTTP_PORT: '0' });
    await expect(child.exit).resolves.toEqual({ code: 0, signal: null });
    expect(child.lines.filter(line => /"level":"(error|fatal)"/.test(line))).toEqual([]);
    expect(child.lines).toContain('CLOSED store');
    expect(child.lines.join('\n')).toMatch(/Listening on http[\s\S]*Shut down/);
  });

  it('lists every configuration problem at once and exits with 1, before anything is opened', async () => {
    const child = boot({ STORE_CONNECT_TIMEOUT_MS: 'soon', OTHER_CRITICAL: 'perhaps', HTTP_PORT: '70000' });
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    const text = child.lines.join('\n');
    for (const key of ['store.connectTimeoutMs', 'other.critical', 'http.port']) expect(text).toContain(key);
    expect(text).not.toContain('CLOSED');
  });

  it('says in one line that the port is taken', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as AddressInfo;
    const child = boot({ ADAPTER: 'fastify', HTTP_PORT: String(port), HTTP_HOST: '127.0.0.1' });
    await expect(child.exit).resolves.toEqual({ code: 1, signal: null });
    expect(child.lines.some(line => line.includes(`INFRA_PORT_IN_USE: Port ${port} on 127.0.0.1 is taken.`))).toBe(
      true,
    );
    holder.close();
    expect(child.lines).toContain('CLOSED store');
  });

  it('warns of a provider that releases while requests are served', async () => {
    const child = boot({});
    await child.waitForLine(/Late: onModuleDestroy runs while requests are still served/);
    child.kill('SIGTERM');
    await child.exit;
  });
});
