import { ConfigModule } from '@core-infra/config';
import { DatabaseModule, DataSource, getDatabaseToken, poolStats } from '@core-infra/database';
import { bootInfra, usePostgres } from '@core-infra/testing';

/** The module as configured by these variables alone. */
const from = (env: Record<string, string>) =>
  bootInfra(
    ConfigModule.forRoot({ root: '/nowhere', env, argv: [], watch: false, environment: 'test' }),
    DatabaseModule.forRootAsync(),
  );
const show = async (ds: DataSource, name: string) => Object.values((await ds.query<[object]>(`SHOW ${name}`))[0])[0];

describe('DatabaseModule.forRootAsync() by the environment', () => {
  const server = usePostgres();

  it.each(['DATABASE_URL', 'POSTGRES_DSN'])('%s, merged with fields and the names of other stacks', async variable => {
    await using app = await from({
      [variable]: server.url,
      DATABASE_POOL_SIZE: '3',
      DATABASE_MAX_OVERFLOW: '4',
      POSTGRES_MAX_IDLE_CONNS: '2',
      POSTGRES_CONN_MAX_LIFETIME: '5',
      DATABASE_STATEMENT_TIMEOUT_MS: '7s',
      DATABASE_SSL_MODE: 'prefer',
      APP_NAME: 'from-the-environment',
    });
    const ds = app.get(DataSource);
    expect(poolStats(ds)).toMatchObject({ max: 7, idle: 2 });
    expect(await show(ds, 'statement_timeout')).toBe('7s');
    expect(await show(ds, 'application_name')).toBe('from-the-environment');
  });

  it('the fields one by one', async () => {
    const { hostname, port, username, password, pathname } = new URL(server.url);
    await using app = await from({
      DATABASE_HOST: hostname,
      DATABASE_PORT: port,
      DATABASE_USER: username,
      DATABASE_PASSWORD: decodeURIComponent(password),
      DATABASE_DB_NAME: pathname.slice(1),
    });
    expect(await app.get(DataSource).query('SELECT current_database() AS name')).toEqual([{ name: pathname.slice(1) }]);
  });

  it('a named connection', async () => {
    await using app = await bootInfra(
      ConfigModule.forRoot({
        root: '/nowhere',
        env: { DATABASE__AUDIT__URL: server.url, DATABASE__AUDIT__POOL_MAX: '2' },
        argv: [],
        watch: false,
        environment: 'test',
      }),
      DatabaseModule.forRootAsync({ name: 'audit' }),
    );
    expect(poolStats(app.get<DataSource>(getDatabaseToken('audit')))).toMatchObject({ max: 2 });
  });
});
