import { usePostgres } from '@core-infra/testing';
import { Client } from 'pg';
import { ensureTemplate } from '../../src/postgres/postgres.admin.js';

async function ask<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

describe('usePostgres', () => {
  const pg = usePostgres();
  const second = usePostgres();

  it('gives a database of its own to each caller, on one server', async () => {
    await ask(pg.url, 'CREATE TABLE mine (id int)');
    await expect(ask(second.url, 'SELECT * FROM mine')).rejects.toThrow('does not exist');
    expect(second.adminUrl).toBe(pg.adminUrl);
    expect(second.url).not.toBe(pg.url);
  });

  it('copies a database that is given as a template', async () => {
    const template = await pg.createDatabase();
    await ask(template, 'CREATE TABLE stock (sku text); INSERT INTO stock VALUES ($$bolt$$)');
    const copy = await pg.createDatabase(new URL(template).pathname.slice(1));
    expect(await ask(copy, 'SELECT sku FROM stock')).toEqual([{ sku: 'bolt' }]);
  });

  it('is a real PostgreSQL that listens on loopback only', async () => {
    expect(await ask(pg.adminUrl, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '127.0.0.1' }]);
  });
});

describe('usePostgres, afterwards', () => {
  const admin = usePostgres();
  let before: string;

  describe('a block with a database', () => {
    const inner = usePostgres();
    it('has it', async () => {
      before = new URL(inner.url).pathname.slice(1);
      expect(await ask(admin.adminUrl, `SELECT 1 AS there FROM pg_database WHERE datname = '${before}'`)).toHaveLength(
        1,
      );
    });
  });

  it('has dropped it', async () => {
    expect(await ask(admin.adminUrl, `SELECT 1 AS there FROM pg_database WHERE datname = '${before}'`)).toEqual([]);
  });
});

describe('a template', () => {
  let prepared = 0;
  const template = {
    name: 'shop',
    async prepare(url: string) {
      prepared++;
      await ask(url, 'CREATE TABLE stock AS SELECT 7 AS quantity');
    },
  };
  const first = usePostgres({ template });
  const second = usePostgres({ template });

  it('is prepared once and copied for each', async () => {
    await ask(first.url, 'UPDATE stock SET quantity = 0');
    expect(await ask(second.url, 'SELECT quantity FROM stock')).toEqual([{ quantity: 7 }]);
    expect(prepared).toBe(1);
  });

  it('is not kept when its preparation fails', async () => {
    const broken = { name: 'broken', prepare: () => Promise.reject(new RangeError('no')) };
    await expect(ensureTemplate(first.adminUrl, broken)).rejects.toThrow(RangeError);
    const left = `SELECT datname FROM pg_database WHERE datname LIKE 'template_%' AND datname NOT IN ('template0', 'template1', 'template_shop')`;
    expect(await ask(first.adminUrl, left)).toEqual([]);
  });
});
