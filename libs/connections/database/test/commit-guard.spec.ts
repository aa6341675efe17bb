import { type CommitGuard, DatabaseModule, DataSource, Transactions } from '@core-infra/database';
import { bootInfra, type InfraApp, usePostgres } from '@core-infra/testing';

describe('a guard over commits', () => {
  const server = usePostgres();
  let app: InfraApp;
  let transactions: Transactions;
  let dataSource: DataSource;
  let refuses: boolean;
  let marks = 0;
  const guard: CommitGuard = () => async () => {
    marks += 1;
    await dataSource.query(`INSERT INTO notes VALUES ('mark ${marks}')`);
    if (refuses) throw new Error('refused');
  };
  const write = (text: string): Promise<unknown> => dataSource.query('INSERT INTO notes VALUES ($1)', [text]);
  const notes = async (): Promise<string[]> =>
    (await dataSource.query<{ text: string }[]>('SELECT text FROM notes')).map(({ text }) => text);

  beforeAll(async () => {
    app = await bootInfra(DatabaseModule.forRoot({ url: server.url }));
    transactions = app.get(Transactions);
    dataSource = app.get(DataSource);
    await dataSource.query('CREATE TABLE notes (text text)');
  });
  afterAll(() => app.close());
  beforeEach(async () => {
    refuses = false;
    marks = 0;
    await dataSource.query('TRUNCATE notes');
  });

  it('runs in each transaction right before its commit, and not for one without', async () => {
    await transactions.guarded(guard, async () => {
      await write('alone');
      await transactions.run(() => write('one'));
      await transactions.run(() => write('two'));
    });
    await transactions.run(() => write('outside'));
    expect(await notes()).toEqual(['alone', 'one', 'mark 1', 'two', 'mark 2', 'outside']);
  });

  it('rolls back what it refuses, and is not asked where the work has failed', async () => {
    refuses = true;
    const refused = transactions.guarded(guard, () => transactions.run(() => write('one')));
    await expect(refused).rejects.toThrow('refused');
    const failed = transactions.guarded(guard, () =>
      transactions.run(async () => {
        await write('two');
        throw new Error('failed');
      }),
    );
    await expect(failed).rejects.toThrow('failed');
    expect([await notes(), marks]).toEqual([[], 1]);
  });

  it('has no part in transactions inside of another, nor in those that only read', async () => {
    await transactions.guarded(guard, async () => {
      await transactions.run(async () => {
        await transactions.run({ propagation: 'requires-new' }, () => write('apart'));
        await transactions.run({ propagation: 'nested' }, () => write('savepoint'));
      });
      await transactions.run({ readOnly: true }, notes);
    });
    expect((await notes()).toSorted()).toEqual(['apart', 'mark 1', 'savepoint']);
  });

  it('may leave a transaction alone, as seen when it begins', async () => {
    await transactions.guarded(
      () => undefined,
      () => transactions.run(() => write('one')),
    );
    expect(await notes()).toEqual(['one']);
  });
});
