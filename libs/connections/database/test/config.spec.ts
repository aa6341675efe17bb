import { inspect } from 'node:util';
import { resolveConfig, shapeOf } from '@core-infra/kernel';
import { DatabaseConfig, type DatabaseOptions } from '@core-infra/database';
import { parseDsn } from '../src/config/dsn.js';

const resolve = (given: DatabaseOptions) => resolveConfig({ section: 'database', Config: DatabaseConfig, given });

describe('DSN', () => {
  it.each([
    [
      'postgres://us%40er:p%3Ass@db.internal:6432/or%2Fders?sslmode=verify-full&application_name=api&connect_timeout=5',
      {
        host: 'db.internal',
        port: '6432',
        user: 'us@er',
        password: 'p:ss',
        database: 'or/ders',
        sslMode: 'verify-full',
        applicationName: 'api',
        connectTimeoutMs: 5_000,
      },
    ],
    ['postgresql://localhost', { host: 'localhost' }],
    ['postgresql:///orders', { database: 'orders' }],
    ['postgres://u@[::1]:5433/x', { host: '::1', port: '5433', user: 'u', database: 'x' }],
    ['postgres://u@%2Fvar%2Frun%2Fpg/x', { host: '/var/run/pg', user: 'u', database: 'x' }],
    ['postgresql://u@/x?host=/var/run/pg', { host: '/var/run/pg', user: 'u', database: 'x' }],
    [
      `host=db user=u password='it\\'s a secret' dbname=x port=5433 sslmode=disable`,
      { host: 'db', user: 'u', password: `it's a secret`, database: 'x', port: '5433', sslMode: 'disable' },
    ],
  ])('%s', (dsn, expected) => {
    expect(parseDsn(dsn)).toEqual(expected);
  });

  it.each([
    ['mysql://u:hunter2@h/x', 'begins with postgres://'],
    ['postgres://u:hunter2@a,b/x', 'one host'],
    ['postgres://u:hunter2@h:port/x', 'such as postgresql://'],
    ['postgres://u:hunter2@h/x?shlmode=disable', 'unknown parameter "shlmode"'],
    ['nonsense hunter2', 'a DSN'],
  ])('%s is refused without being repeated', (dsn, expected) => {
    expect(() => parseDsn(dsn)).toThrow(expected);
    expect(() => parseDsn(dsn)).not.toThrow('hunter2');
    expect(() => resolve({ url: dsn })).toThrow(/database\.url/);
    expect(() => resolve({ url: dsn })).not.toThrow('hunter2');
  });
});

describe('DatabaseConfig', () => {
  it('merges a DSN with fields, and refuses a contradiction without printing the password', () => {
    expect(resolve({ url: 'postgres://u@h/x', password: 'p', port: 6000 })).toMatchObject({
      host: 'h',
      user: 'u',
      database: 'x',
      password: 'p',
      port: 6000,
    });
    expect(() => resolve({ url: 'postgres://u@h/x', host: 'other' })).toThrow('database.host');
    const contradiction = () => resolve({ url: 'postgres://u:hunter2@h/x', password: 'hunter3' });
    expect(contradiction).toThrow('database.password');
    expect(contradiction).not.toThrow(/hunter/);
  });

  it('checks what belongs together', () => {
    expect(() => resolve({ sslMode: 'verify-ca' })).toThrow('database.sslCa');
    expect(() => resolve({ sslCert: 'x' })).toThrow('database.sslKey');
    expect(() => resolve({ sslMode: 'allow' as never })).toThrow('database.sslMode');
    expect(() => resolve({ port: 70_000 })).toThrow('database.port');
    expect(() => resolve({ migrations: { password: 'p' } })).toThrow('database.migrations.user');
    expect(() => resolve({ migrations: { table: 'x; DROP TABLE y' } })).toThrow('database.migrations.table');
  });

  it('does not show its secrets', () => {
    expect(inspect(resolve({ url: 'postgres://u:hunter2@h/x' }), { depth: 5 })).not.toContain('hunter2');
  });

  it('knows the names that users rely on, each with its unit', () => {
    const { fields, compounds } = shapeOf(DatabaseConfig);
    const env = (path: string) => fields.find(field => field.path === path)!.env;
    expect(compounds.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['POSTGRES_DSN', 'DATABASE_URL', 'url', 'dsn']),
    );
    expect(env('database')).toEqual([{ names: ['DATABASE_NAME'] }, { names: ['DATABASE_DB_NAME'] }]);
    expect(env('pool.max')).toEqual(
      expect.arrayContaining([
        { names: ['POSTGRES_MAX_OPEN_CONNS'] },
        { names: ['DATABASE_POOL_SIZE', 'DATABASE_MAX_OVERFLOW'] },
      ]),
    );
    expect(env('pool.maxLifetimeMs')).toEqual([{ names: ['POSTGRES_CONN_MAX_LIFETIME'], unit: 'm' }]);
    expect(env('pool.idleTimeoutMs')).toEqual([{ names: ['POSTGRES_CONN_MAX_IDLE_TIME'], unit: 'm' }]);
  });
});
