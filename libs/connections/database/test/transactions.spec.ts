import { setImmediate as tick } from 'node:timers/promises';
import { Injectable, Module } from '@nestjs/common';
import { TransactionHost } from '@nestjs-cls/transactional';
import {
  DatabaseModule,
  DataSource,
  EntityManager,
  InjectRepository,
  poolStats,
  runInTransaction,
  Transactional,
  TransactionEndedError,
  Transactions,
} from '@core-infra/database';
import { bootInfra, type InfraApp, usePostgres } from '@core-infra/testing';
import { Column, Entity, PrimaryColumn, Repository } from 'typeorm';
import { gate } from './fixtures/gate.js';

@Entity('accounts')
class Account {
  @PrimaryColumn('text') id!: string;
  @Column('int') balance!: number;
}

/** As people write them by hand: with a manager of the DataSource's making. */
@Injectable()
class AccountRepository extends Repository<Account> {
  constructor(dataSource: DataSource) {
    super(Account, dataSource.createEntityManager());
  }
}

const ignore = () => undefined;

@Injectable()
class Bank {
  constructor(
    @InjectRepository(Account) readonly accounts: Repository<Account>,
    readonly own: AccountRepository,
    readonly dataSource: DataSource,
    readonly manager: EntityManager,
    readonly transactions: Transactions,
  ) {}

  /** Writes through everything that can be injected, then fails. */
  @Transactional()
  async writeEverywhereAndFail(): Promise<void> {
    await this.accounts.save({ id: 'repository', balance: 1 });
    await this.own.insert({ id: 'custom', balance: 1 });
    await this.manager.insert(Account, { id: 'manager', balance: 1 });
    await this.dataSource.query(`INSERT INTO accounts VALUES ('query', 1)`);
    await this.dataSource.createQueryBuilder().insert().into(Account).values({ id: 'builder', balance: 1 }).execute();
    await this.dataSource.getRepository(Account).insert({ id: 'fetched', balance: 1 });
    await this.dataSource.transaction(manager => manager.insert(Account, { id: 'inner', balance: 1 }));
    expect(await this.accounts.count()).toBe(7);
    throw new Error('no');
  }

  @Transactional({ isolation: 'SERIALIZABLE' })
  isolation(): Promise<{ transaction_isolation: string }[]> {
    return this.dataSource.query('SHOW transaction_isolation');
  }

  @Transactional({ readOnly: true })
  async writeReadOnly(): Promise<void> {
    await this.accounts.insert({ id: 'x', balance: 1 });
  }
}

@Module({
  imports: [DatabaseModule.forFeature([Account])],
  providers: [Bank, AccountRepository],
  exports: [Bank],
})
class BankModule {}

describe('transactions', () => {
  const server = usePostgres();
  let app: InfraApp;
  let bank: Bank;

  beforeAll(async () => {
    app = await bootInfra(
      DatabaseModule.forRoot({ url: server.url, pool: { max: 5 }, typeorm: { synchronize: true } }),
      BankModule,
    );
    bank = app.get(Bank);
  });
  afterEach(() => bank.accounts.clear());
  afterAll(() => app.close());

  const ids = async () => (await bank.accounts.find({ order: { id: 'ASC' } })).map(({ id }) => id);
  const insert = (id: string) => bank.accounts.insert({ id, balance: 0 });

  it('takes in whatever is injected plainly, and rolls all of it back', async () => {
    await expect(bank.writeEverywhereAndFail()).rejects.toThrow('no');
    expect(await ids()).toEqual([]);
    expect(poolStats(bank.dataSource)).toMatchObject({ active: 0, waiting: 0 });
  });

  it('commits, and calls onCommit hooks after it, outside of it; not after a rollback', async () => {
    const seen: unknown[] = [];
    const remember = async () => void seen.push([await ids(), bank.transactions.running]);
    await bank.transactions.run(async () => {
      bank.transactions.onCommit(remember);
      await insert('a');
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([[['a'], undefined]]);
    const failing = bank.transactions.run(() => {
      bank.transactions.onCommit(remember);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(seen).toHaveLength(1);
    expect(() => bank.transactions.onCommit(ignore)).toThrow('outside of a transaction');
  });

  it('does not run the hooks of a savepoint that was rolled back', async () => {
    const seen: string[] = [];
    await bank.transactions.run(async () => {
      await bank.transactions.run({ propagation: 'nested' }, () => {
        bank.transactions.onCommit(() => seen.push('kept'));
      });
      await bank.transactions
        .run({ propagation: 'nested' }, () => {
          bank.transactions.onCommit(() => seen.push('lost'));
          throw new Error('no');
        })
        .catch(ignore);
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual(['kept']);
  });

  it('sets isolation and read-only', async () => {
    expect(await bank.isolation()).toEqual([{ transaction_isolation: 'serializable' }]);
    await expect(bank.writeReadOnly()).rejects.toMatchObject({ code: '25006' });
  });

  describe('propagation', () => {
    const backend = async () =>
      (await bank.dataSource.query<{ pid: number }[]>('SELECT pg_backend_pid() AS pid'))[0]!.pid;
    const xid = async () =>
      (await bank.dataSource.query<{ x: string | null }[]>('SELECT pg_current_xact_id_if_assigned()::text AS x'))[0]!.x;

    it('required joins, requires-new commits by itself', async () => {
      const failing = bank.transactions.run(async () => {
        await insert('outer');
        const [outer, pid] = [await xid(), await backend()];
        await bank.transactions.run(async () => expect(await xid()).toBe(outer));
        await bank.transactions.run({ propagation: 'requires-new' }, async () => {
          expect(await backend()).not.toBe(pid);
          await insert('new');
        });
        expect(await xid()).toBe(outer);
        throw new Error('no');
      });
      await expect(failing).rejects.toThrow('no');
      expect(await ids()).toEqual(['new']);
    });

    it('nested rolls back to its savepoint only', async () => {
      await bank.transactions.run(async () => {
        await insert('outer');
        await bank.transactions
          .run({ propagation: 'nested' }, async () => {
            await insert('inner');
            throw new Error('no');
          })
          .catch(ignore);
        await bank.transactions.run({ propagation: 'nested' }, () => insert('second'));
      });
      expect(await ids()).toEqual(['outer', 'second']);
    });

    it('mandatory, never, supports and not-supported do what they say', async () => {
      const pid = () => backend();
      await expect(bank.transactions.run({ propagation: 'mandatory' }, pid)).rejects.toMatchObject({
        code: 'INFRA_TRANSACTION_PROPAGATION',
      });
      await bank.transactions.run({ propagation: 'never' }, pid);
      await bank.transactions.run({ propagation: 'supports' }, () => expect(bank.transactions.running).toBeUndefined());
      await bank.transactions.run(async () => {
        const outer = await pid();
        expect(await bank.transactions.run({ propagation: 'mandatory' }, pid)).toBe(outer);
        expect(await bank.transactions.run({ propagation: 'supports' }, pid)).toBe(outer);
        expect(await bank.transactions.run({ propagation: 'not-supported' }, pid)).not.toBe(outer);
        await expect(bank.transactions.run({ propagation: 'never' }, pid)).rejects.toMatchObject({
          code: 'INFRA_TRANSACTION_PROPAGATION',
        });
        expect(await pid()).toBe(outer);
      });
    });
  });

  it('runs the whole function again after a serialisation failure, and gives up after `retries`', async () => {
    await bank.accounts.insert([
      { id: 'a', balance: 100 },
      { id: 'b', balance: 100 },
    ]);
    let attempts = 0;
    /** Write skew: each reads both and takes from one, which no serial order allows twice. */
    const withdraw = (id: string, ready: () => Promise<void>) =>
      bank.transactions.run({ isolation: 'SERIALIZABLE', retries: 10 }, async () => {
        attempts += 1;
        const total = (await bank.accounts.sum('balance')) ?? 0;
        await ready();
        if (total >= 200) await bank.accounts.decrement({ id }, 'balance', 150);
      });
    const opened = gate();
    let arrived = 0;
    const both = () => {
      arrived += 1;
      if (arrived === 2) opened.open();
      return opened as Promise<void>;
    };
    await Promise.all([withdraw('a', both), withdraw('b', both)]);
    expect(attempts).toBe(3);
    expect(await bank.accounts.sum('balance')).toBe(50);

    let runs = 0;
    const hopeless = bank.transactions.run({ retries: 2 }, async () => {
      runs += 1;
      await bank.dataSource.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40P01'; END $$`);
    });
    await expect(hopeless).rejects.toMatchObject({ code: '40P01' });
    expect(runs).toBe(3);
  });

  it('runs the loser of a real deadlock again', async () => {
    await bank.accounts.insert([
      { id: 'a', balance: 0 },
      { id: 'b', balance: 0 },
    ]);
    const opened = gate();
    let [attempts, arrived] = [0, 0];
    const addTo = (first: string, second: string) =>
      bank.transactions.run(async () => {
        attempts += 1;
        await bank.accounts.increment({ id: first }, 'balance', 1);
        arrived += 1;
        if (arrived === 2) opened.open();
        await opened;
        await bank.accounts.increment({ id: second }, 'balance', 1);
      });
    await Promise.all([addTo('a', 'b'), addTo('b', 'a')]);
    expect(attempts).toBe(3);
    expect((await bank.accounts.find()).map(({ balance }) => balance)).toEqual([2, 2]);
  });

  it('a COMMIT that fails is the error, runs no hook, and is retried where that may help', async () => {
    const hooked: string[] = [];
    await bank.dataSource.query(`
      CREATE TABLE deferred (state text);
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE EXCEPTION 'at commit' USING ERRCODE = NEW.state; END $$;
      CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON deferred DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION refuse();`);
    const attemptsWith = async (state: string) => {
      let attempts = 0;
      const failing = bank.transactions.run({ retries: 2 }, async () => {
        attempts += 1;
        bank.transactions.onCommit(() => hooked.push(state));
        await bank.dataSource.query('INSERT INTO deferred VALUES ($1)', [state]);
      });
      await expect(failing).rejects.toMatchObject({ code: state, message: 'at commit' });
      return attempts;
    };
    expect(await attemptsWith('23503')).toBe(1);
    expect(await attemptsWith('40001')).toBe(3);
    expect(hooked).toEqual([]);
    expect(poolStats(bank.dataSource)).toMatchObject({ active: 0 });
    await bank.dataSource.query('DROP TABLE deferred; DROP FUNCTION refuse');
  });

  it('takes all of several statements that run side by side, or none of them', async () => {
    await bank.transactions.run(() => Promise.all(['a', 'b', 'c'].map(insert)));
    expect(await ids()).toEqual(['a', 'b', 'c']);
    const failing = bank.transactions.run(() =>
      Promise.all([insert('d'), bank.dataSource.query('SELECT 1/0'), insert('e')]),
    );
    await expect(failing).rejects.toThrow('division by zero');
    expect(await ids()).toEqual(['a', 'b', 'c']);
    expect(poolStats(bank.dataSource)).toMatchObject({ active: 0 });
  });

  it('a savepoint may be read-only in a transaction that writes', async () => {
    await bank.transactions.run(async () => {
      const writing = bank.transactions.run({ propagation: 'nested', readOnly: true }, () => insert('inner'));
      await expect(writing).rejects.toMatchObject({ code: '25006' });
      await insert('outer');
    });
    expect(await ids()).toEqual(['outer']);
  });

  it('retries only where the transaction begins', async () => {
    let [outer, inner] = [0, 0];
    const failing = bank.transactions.run({ retries: 1 }, async () => {
      outer += 1;
      await bank.transactions.run({ retries: 5 }, async () => {
        inner += 1;
        await bank.dataSource.query(`DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END $$`);
      });
    });
    await expect(failing).rejects.toMatchObject({ code: '40001' });
    expect([outer, inner]).toEqual([2, 2]);
  });

  it('refuses to commit what the server has already given up', async () => {
    const hooked: string[] = [];
    const swallowing = bank.transactions.run(async () => {
      await insert('lost');
      bank.transactions.onCommit(() => hooked.push('committed'));
      await insert('lost').catch(ignore);
    });
    await expect(swallowing).rejects.toMatchObject({ code: 'INFRA_TRANSACTION_ABORTED' });
    expect(await ids()).toEqual([]);
    expect(hooked).toEqual([]);
  });

  it('never leaks to a request beside it: 200 interleaved, half of them rolled back', async () => {
    const request = async (n: number) => {
      if (n % 4 === 0) return insert(`plain-${n}`);
      return bank.transactions.run(async () => {
        await insert(`tx-${n}`);
        await tick();
        const seen = await bank.accounts.findBy({ id: `tx-${n}` });
        expect(seen).toHaveLength(1);
        await tick();
        if (n % 2 === 1) throw new Error('rolled back');
      });
    };
    const results = await Promise.allSettled(Array.from({ length: 200 }, (_, n) => request(n)));
    const kept = results.flatMap(({ status }, n) =>
      status === 'fulfilled' ? [n % 4 === 0 ? `plain-${n}` : `tx-${n}`] : [],
    );
    expect(await ids()).toEqual(kept.sort());
    expect(kept).toHaveLength(100);
    expect(results.filter(({ status }) => status === 'rejected')).toHaveLength(100);
  });

  it('gives code that was not awaited a clear error, and never another connection', async () => {
    const opened = gate();
    let late: Promise<unknown> = Promise.resolve();
    let laterStill: Promise<unknown> = Promise.resolve();
    await bank.transactions.run(async () => {
      await insert('in time');
      late = opened.then(() => insert('late'));
      laterStill = opened.then(() => bank.transactions.run(() => insert('later still')));
      late.catch(ignore);
      laterStill.catch(ignore);
    });
    opened.open();
    await expect(late).rejects.toBeInstanceOf(TransactionEndedError);
    await expect(laterStill).rejects.toBeInstanceOf(TransactionEndedError);
    expect(await ids()).toEqual(['in time']);
  });

  it('stops a half-done save that was not awaited', async () => {
    let late: Promise<unknown> = Promise.resolve();
    await bank.transactions.run(async () => {
      await insert('in time');
      late = bank.accounts.save([
        { id: 'in time', balance: 5 },
        { id: 'late', balance: 5 },
      ]);
      late.catch(ignore);
    });
    await expect(late).rejects.toBeInstanceOf(TransactionEndedError);
    expect(await bank.accounts.find()).toEqual([{ id: 'in time', balance: 0 }]);
  });

  it('lets work that is started outside of it go on after it', async () => {
    const opened = gate();
    let later: Promise<unknown> = Promise.resolve();
    await bank.transactions.run(async () => {
      later = bank.transactions.run({ propagation: 'not-supported' }, async () => {
        await opened;
        await insert('background');
      });
      await insert('foreground');
    });
    opened.open();
    await later;
    expect(await ids()).toEqual(['background', 'foreground']);
  });

  it('works by function, and with the TransactionHost of @nestjs-cls/transactional', async () => {
    await runInTransaction(bank.dataSource, { readOnly: true }, async () =>
      expect(await bank.dataSource.query('SHOW transaction_read_only')).toEqual([{ transaction_read_only: 'on' }]),
    );
    const failing = app.get(TransactionHost, { strict: false }).withTransaction(async () => {
      await insert('host');
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await ids()).toEqual([]);
  });

  it('binds to the named connection, and to the one that forFeature makes the plain one', async () => {
    const url = await server.createDatabase();
    @Injectable()
    class Named {
      constructor(readonly main: DataSource) {}
      @Transactional({ connection: 'ledger' })
      async running(): Promise<[boolean, boolean]> {
        return [this.ledgerRuns(), transactionsRun(this.main)];
      }
      ledgerRuns = () => false;
    }
    @Injectable()
    class Rebound {
      constructor(readonly ledger: DataSource) {}
      @Transactional()
      async running(): Promise<boolean> {
        return transactionsRun(this.ledger);
      }
    }
    @Module({ imports: [DatabaseModule.forFeature('ledger')], providers: [Rebound], exports: [Rebound] })
    class LedgerModule {}
    @Module({ providers: [Named], exports: [Named] })
    class NamedModule {}
    const transactionsRun = (dataSource: DataSource) => dataSource.manager.queryRunner !== undefined;
    await using two = await bootInfra(
      DatabaseModule.forRoot({ url: server.url }),
      DatabaseModule.forRoot({ name: 'ledger', url }),
      LedgerModule,
      NamedModule,
    );
    const rebound = two.get(Rebound);
    const named = two.get(Named);
    named.ledgerRuns = () => transactionsRun(rebound.ledger);
    expect(await rebound.running()).toBe(true);
    expect(await named.running()).toEqual([true, false]);
  });

  it('keeps two apps of one process apart', async () => {
    await using other = await bootInfra(DatabaseModule.forRoot({ url: await server.createDatabase() }));
    const theirs = other.get(Transactions);
    await bank.transactions.run(async () => {
      expect(theirs.running).toBeUndefined();
      await theirs.run(() => {
        expect(theirs.running).toBeDefined();
        expect(bank.transactions.running).toBeUndefined();
      });
      expect(bank.transactions.running).toBeDefined();
      await insert('ours');
    });
    expect(await ids()).toEqual(['ours']);
  });

  it('tells who constructs a @Transactional() class by hand', () => {
    const { accounts, own, dataSource, manager, transactions } = bank;
    const byHand = new Bank(accounts, own, dataSource, manager, transactions);
    expect(() => byHand.isolation()).toThrow(expect.objectContaining({ code: 'INFRA_TRANSACTIONAL_NOT_WIRED' }));
  });
});
