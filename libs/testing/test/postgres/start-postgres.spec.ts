import { startPostgres, usePostgresServer } from '@core-infra/testing';
import { withClient } from '../../src/postgres/postgres.admin.js';

describe('usePostgresServer', () => {
  const server = usePostgresServer();
  const count = () =>
    withClient(server.url, async c => Number((await c.query('SELECT count(*) FROM kept')).rows[0].count));

  it('refuses while it is stopped and serves again on the same port, with its data', async () => {
    await withClient(server.url, client => client.query('CREATE TABLE kept AS SELECT 1 AS id'));
    await server.stop();
    await expect(count()).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await count()).toBe(1);
  });

  it('comes back after a crash', async () => {
    await server.kill('SIGKILL');
    await expect(count()).rejects.toThrow('ECONNREFUSED');
    await server.start();
    expect(await count()).toBe(1);
  });

  it('restarts', async () => {
    const started = () =>
      withClient(
        server.url,
        async c => (await c.query('SELECT pg_postmaster_start_time()::text AS t')).rows[0].t as string,
      );
    const before = await started();
    await server.restart();
    expect(await started()).not.toBe(before);
  });
});

describe('startPostgres', () => {
  it('starts two side by side, on ports of their own', async () => {
    const servers = await Promise.all([startPostgres(), startPostgres()]);
    try {
      const [first, second] = servers;
      expect(first.address).not.toBe(second.address);
      await withClient(first.url, client => client.query('CREATE TABLE only_here (id int)'));
      await expect(withClient(second.url, client => client.query('SELECT * FROM only_here'))).rejects.toThrow(
        'does not exist',
      );
    } finally {
      await Promise.all(servers.map(server => server.dispose()));
    }
    for (const { url } of servers)
      await expect(withClient(url, () => Promise.resolve())).rejects.toThrow('ECONNREFUSED');
  });
});
