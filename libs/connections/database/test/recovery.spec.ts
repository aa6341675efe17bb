import { Connections } from '@core-infra/kernel';
import { DatabaseModule, DataSource, InjectRepository, poolStats, Transactions } from '@core-infra/database';
import { bootInfra, eventually, usePostgresServer, useTcpProxy } from '@core-infra/testing';
import { Injectable, Module } from '@nestjs/common';
import { specContext, SpecContextModule } from './fixtures/spec-context.js';
import { Column, Entity, PrimaryGeneratedColumn, type Repository } from 'typeorm';

@Entity('things')
class Thing {
  @PrimaryGeneratedColumn() id!: number;
  @Column('text') text!: string;
}

@Injectable()
class Things {
  constructor(@InjectRepository(Thing) readonly all: Repository<Thing>) {}
}

@Module({ imports: [DatabaseModule.forFeature([Thing])], providers: [Things], exports: [Things] })
class ThingsModule {}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => undefined,
    (error: unknown) => error,
  );

describe('a server that goes away', () => {
  const server = usePostgresServer();
  const proxy = useTcpProxy(() => server.url);

  it.each(['restart', 'SIGKILL'] as const)(
    '%s: idle and busy connections break, and work goes on by itself',
    async how => {
      await using app = await bootInfra(DatabaseModule.forRoot({ url: server.url, pool: { max: 4, min: 3 } }));
      const ds = app.get(DataSource);
      const [check] = app.get(Connections).checks();
      const busy = failure(ds.query('SELECT pg_sleep(60)'));
      const inTransaction = failure(app.get(Transactions).run(() => ds.query('SELECT pg_sleep(60)')));
      await eventually(() => expect(poolStats(ds).active).toBe(2));
      if (how === 'restart') await server.stop();
      else await server.kill('SIGKILL');
      const errors = [await busy, await inTransaction, await failure(ds.query('SELECT 1'))];
      for (const error of errors)
        expect(app.get(Connections).classify(error)).toEqual({ fault: 'dependency', retryable: true });
      expect(await failure(check!.run())).toMatchObject({ code: 'ECONNREFUSED' });
      await server.start();
      await eventually(async () => expect(await ds.query('SELECT 1 AS one')).toEqual([{ one: 1 }]));
      await check!.run();
      expect(poolStats(ds)).toMatchObject({ active: 0, waiting: 0 });
    },
  );

  it('a network that swallows everything: checks do not use up the pool', async () => {
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: proxy.url, pool: { max: 2 }, checkTimeoutMs: 50, shutdownTimeoutMs: 500 }),
    );
    const [check] = app.get(Connections).checks();
    await check!.run();
    proxy.hang();
    expect(await failure(check!.run())).toMatchObject({ code: 'INFRA_STEP_TIMEOUT' });
    await eventually(() => expect(poolStats(app.get(DataSource))).toMatchObject({ active: 0, waiting: 0 }));
    await proxy.resume();
    await eventually(() => check!.run());
  });

  it('a probe that hangs up does not fail the check that others wait for', async () => {
    await using app = await bootInfra(SpecContextModule, DatabaseModule.forRoot({ url: server.url }));
    const [check] = app.get(Connections).checks();
    const gone = { signal: AbortSignal.abort(), deadline: Date.now() - 1 };
    expect(await specContext.run(gone, () => failure(check!.run()))).toBeUndefined();
  });

  it('background: boots without the server, says so, and connects when it comes', async () => {
    await proxy.cut();
    await using app = await bootInfra(
      DatabaseModule.forRoot({ url: proxy.url, startup: 'background', typeorm: { synchronize: true } }),
      ThingsModule,
    );
    const { all } = app.get(Things);
    const [check] = app.get(Connections).checks();
    expect(await failure(all.find())).toMatchObject({ code: 'INFRA_NOT_CONNECTED' });
    expect(await failure(app.get(DataSource).query('SELECT 1'))).toMatchObject({ code: 'INFRA_NOT_CONNECTED' });
    expect(await failure(check!.run())).toMatchObject({ code: 'INFRA_NOT_CONNECTED' });
    await proxy.start();
    await eventually(() => check!.run());
    await all.save({ text: 'written' });
    expect(await all.find()).toMatchObject([{ text: 'written' }]);
  });

  it('require: the boot fails with the address and without the password', async () => {
    await proxy.cut();
    const url = new URL(proxy.url);
    url.password = 'hunter2';
    const error = (await failure(bootInfra(DatabaseModule.forRoot({ url: url.href, connectTimeoutMs: 300 })))) as Error;
    expect(error).toMatchObject({ code: 'INFRA_CONNECT_FAILED' });
    expect(error.message).toContain(`127.0.0.1:${url.port}`);
    expect(error.message).not.toContain('hunter2');
  });

  it('a wrong database or role fails at once', async () => {
    const url = new URL(server.url);
    url.pathname = '/nowhere';
    expect(await failure(bootInfra(DatabaseModule.forRoot({ url: url.href, connectTimeoutMs: 60_000 })))).toMatchObject(
      {
        code: 'INFRA_CONNECT_FAILED',
        message: expect.stringContaining('database "nowhere" does not exist'),
      },
    );
  });
});
