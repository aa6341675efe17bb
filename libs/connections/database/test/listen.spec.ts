import { bootInfra, eventually, usePostgres } from '@core-infra/testing';
import { DatabaseModule, DataSource, listenTo } from '../src/index.js';

const postgres = usePostgres();

describe('listenTo', () => {
  it('hears notifications, also after its connection was cut, and holds none of the pool', async () => {
    await using app = await bootInfra(DatabaseModule.forRoot({ dsn: postgres.url, pool: { max: 1 } }));
    const dataSource = app.get(DataSource);
    const heard: string[] = [];
    let listened = 0;
    let lost = 0;
    const listening = listenTo(dataSource, 'spec_channel', {
      notified: payload => heard.push(payload),
      listening: () => (listened += 1),
      lost: () => (lost += 1),
    });
    try {
      await eventually(() => expect(listening.isListening).toBe(true));
      await dataSource.query("SELECT pg_notify('spec_channel', 'one')");
      await eventually(() => expect(heard).toEqual(['one']));
      await dataSource.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN spec_channel'",
      );
      await eventually(() => expect([listened, lost]).toEqual([2, 1]));
      await dataSource.query("SELECT pg_notify('spec_channel', 'two')");
      await eventually(() => expect(heard).toEqual(['one', 'two']));
    } finally {
      await listening.close();
    }
    await eventually(async () =>
      expect(await dataSource.query("SELECT 1 FROM pg_stat_activity WHERE query = 'LISTEN spec_channel'")).toEqual([]),
    );
  });

  it('refuses a name that would be more than a name', async () => {
    await using app = await bootInfra(DatabaseModule.forRoot({ dsn: postgres.url }));
    const handlers = { notified: () => undefined, listening: () => undefined };
    expect(() => listenTo(app.get(DataSource), 'a; DROP TABLE b', handlers)).toThrow(TypeError);
  });
});
