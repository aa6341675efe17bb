import { setImmediate as tick } from 'node:timers/promises';
import { Controller, Get, Injectable, Module, Param } from '@nestjs/common';
import { ContextModule } from '@core-infra/context';
import { RequestContext } from '@core-infra/kernel';
import {
  DatabaseModule,
  DataSource,
  InjectRepository,
  type DatabaseOptions,
  poolStats,
  Transactional,
  Transactions,
} from '@core-infra/database';
import { bootHttp, eventually, type HttpApp, httpAdapters, uniqueName, usePostgres } from '@core-infra/testing';
import { Entity, PrimaryColumn, type Repository } from 'typeorm';

@Entity('tickets')
class Ticket {
  @PrimaryColumn('int') id!: number;
}

@Injectable()
class Tickets {
  readonly errors: unknown[] = [];
  /** Whether the inner call of each request saw a transaction that is not its own. */
  readonly leaks: number[] = [];
  background: Promise<unknown> = Promise.resolve();

  constructor(
    @InjectRepository(Ticket) readonly all: Repository<Ticket>,
    readonly dataSource: DataSource,
    readonly transactions: Transactions,
    readonly context: RequestContext,
  ) {}

  @Transactional()
  async place(id: number): Promise<void> {
    await this.all.insert({ id });
    await tick();
    if ((await this.all.count()) !== 1) this.leaks.push(id);
    await tick();
    throw new Error('rolled back');
  }

  async plain(id: number): Promise<void> {
    await tick();
    if (this.transactions.running) this.leaks.push(id);
    if ((await this.all.count()) !== 0) this.leaks.push(id);
  }
}

@Controller()
class TicketsController {
  constructor(private readonly tickets: Tickets) {}

  @Get('tickets/:id')
  async ticket(@Param('id') id: string): Promise<string> {
    await (Number(id) % 2 ? this.tickets.place(Number(id)).catch(() => undefined) : this.tickets.plain(Number(id)));
    return 'done';
  }

  @Get('slow')
  async slow(): Promise<void> {
    await this.remember(
      this.tickets.transactions.run(async () => {
        await this.tickets.all.insert({ id: 1 });
        await this.tickets.dataSource.query('SELECT pg_sleep(60)');
      }),
    );
  }

  @Get('detached')
  detached(): Promise<void> {
    const { context, dataSource } = this.tickets;
    this.tickets.background = context.run({ deadline: undefined, signal: undefined }, () =>
      dataSource.query('SELECT pg_sleep(0.3)'),
    );
    this.tickets.background.catch(() => undefined);
    return new Promise(() => undefined);
  }

  @Get('quick')
  async quick(): Promise<void> {
    await this.remember(this.tickets.dataSource.query('SELECT pg_sleep(0.02)'));
  }

  private async remember(work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      this.tickets.errors.push(error);
      throw error;
    });
  }
}

@Module({
  imports: [DatabaseModule.forFeature([Ticket])],
  providers: [Tickets],
  controllers: [TicketsController],
})
class TicketsModule {}

describe.each(httpAdapters)('a request over %s', adapter => {
  const server = usePostgres();
  const name = uniqueName('http');

  const boot = (options: DatabaseOptions = {}): Promise<HttpApp> =>
    bootHttp(adapter, [
      ContextModule.forRoot(),
      DatabaseModule.forRoot({ url: server.url, applicationName: name, typeorm: { synchronize: true }, ...options }),
      TicketsModule,
    ]);
  const ticketsOf = (app: HttpApp) => app.get(Tickets, { strict: false });
  const sleeping = (ds: DataSource) =>
    ds.query(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = $1 AND state = 'active' AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()`,
      [name],
    );

  it('never sees the transaction of one beside it: 300 at a time over 5 connections', async () => {
    await using app = await boot({ pool: { max: 5 } });
    const answers = await Promise.all(
      Array.from({ length: 300 }, async (_, id) => (await app.fetch(`/tickets/${id}`)).status),
    );
    expect(new Set(answers)).toEqual(new Set([200]));
    expect(ticketsOf(app).leaks).toEqual([]);
    expect(await ticketsOf(app).all.count()).toBe(0);
    expect(poolStats(ticketsOf(app).dataSource)).toMatchObject({ active: 0, waiting: 0 });
  });

  it('is cancelled on the server when its caller hangs up, and its transaction rolled back', async () => {
    await using app = await boot();
    const { dataSource, errors, all } = ticketsOf(app);
    const caller = new AbortController();
    const answer = app.fetch('/slow', { signal: caller.signal }).catch((error: unknown) => error);
    await eventually(async () => expect(await sleeping(dataSource)).toHaveLength(1));
    caller.abort();
    await answer;
    await eventually(() => expect(errors).toMatchObject([{ code: 'INFRA_DATABASE_CANCELLED' }]));
    expect(await sleeping(dataSource)).toEqual([]);
    expect(await all.count()).toBe(0);
    await eventually(() => expect(poolStats(dataSource)).toMatchObject({ active: 0, waiting: 0 }));
  });

  it('is cancelled when the time passes that its caller gave it', async () => {
    await using app = await boot();
    await app.fetch('/slow', { headers: { 'x-request-timeout-ms': '100' } });
    expect(ticketsOf(app).errors).toMatchObject([{ code: 'INFRA_DATABASE_DEADLINE', status: 504 }]);
    expect(await sleeping(ticketsOf(app).dataSource)).toEqual([]);
    expect(poolStats(ticketsOf(app).dataSource)).toMatchObject({ active: 0 });
  });

  it('lets work outlive it that runs in a context without its deadline and its caller', async () => {
    await using app = await boot();
    const caller = new AbortController();
    const headers = { 'x-request-timeout-ms': '50' };
    const answer = app.fetch('/detached', { signal: caller.signal, headers }).catch((error: unknown) => error);
    await eventually(async () => expect(await sleeping(ticketsOf(app).dataSource)).toHaveLength(1));
    caller.abort();
    await answer;
    expect(await ticketsOf(app).background).toHaveLength(1);
  });

  it('is turned away in bounded time when 200 want one connection, and those that get it are served', async () => {
    await using app = await boot({ pool: { max: 1, acquireTimeoutMs: 250 } });
    const answers = await Promise.all(Array.from({ length: 200 }, async () => (await app.fetch('/quick')).status));
    const { errors } = ticketsOf(app);
    expect(answers.filter(status => status === 200).length).toBeGreaterThan(0);
    expect(errors.length).toBe(answers.filter(status => status !== 200).length);
    for (const error of errors) expect(error).toMatchObject({ code: 'INFRA_DATABASE_POOL_EXHAUSTED' });
    expect(poolStats(ticketsOf(app).dataSource)).toMatchObject({ active: 0, waiting: 0 });
    expect((await app.fetch('/quick')).status).toBe(200);
  });
});
