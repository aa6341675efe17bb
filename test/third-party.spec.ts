import { Connections } from '@core-infra/kernel';
import { bootInfra } from '@core-infra/testing';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { QdrantClient, QdrantModule } from './third-party/qdrant.module.js';

/** Qdrant cannot be installed as a package, so the two answers that the concern reads come from here. */
function qdrant(): Server {
  return createServer((request, response) => {
    if (request.headers['api-key'] !== 'k') response.writeHead(403).end();
    else response.setHeader('content-type', 'application/json').end('{"result":{"collections":[{"name":"orders"}]}}');
  });
}

describe('a concern that a third party wrote', () => {
  let server: Server;
  let url: string;
  beforeAll(async () => {
    server = qdrant().listen(0, '127.0.0.1');
    await once(server, 'listening');
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  it('is opened, injected, checked and closed like our own', async () => {
    await using app = await bootInfra(QdrantModule.forRoot({ url, apiKey: 'k' }));
    await expect(app.get(QdrantClient).collections()).resolves.toEqual(['orders']);
    const [check] = app.get(Connections).checks();
    expect(check!.name).toBe('qdrant');
    await expect(check!.run()).resolves.toEqual({ collections: 1 });
  });

  it('fails the boot with its own error as the cause, and no key in the message', async () => {
    const boot = bootInfra(QdrantModule.forRoot({ url, apiKey: 'wrong-key' }));
    const error = await boot.then(
      () => undefined,
      (caught: unknown) => caught as Error & { cause: unknown },
    );
    expect(error).toMatchObject({
      code: 'INFRA_CONNECT_FAILED',
      connection: 'qdrant',
      address: url,
      cause: { code: 'QDRANT_REFUSED', status: 502, answered: 403 },
    });
    expect(error!.message).not.toContain('wrong-key');
  });

  it('has its values validated', async () => {
    await expect(bootInfra(QdrantModule.forRoot({ url: 'nowhere' }))).rejects.toMatchObject({
      code: 'INFRA_CONFIG',
      problems: [{ key: 'qdrant.url' }],
    });
  });

  it('stands in the docs as it stands here', () => {
    const doc = readFileSync(join(__dirname, '../docs/write-a-concern.md'), 'utf8');
    const code = readFileSync(join(__dirname, 'third-party/qdrant.module.ts'), 'utf8');
    expect(/```ts\n([\s\S]*?)```/.exec(doc)?.[1]).toBe(code);
  });
});
