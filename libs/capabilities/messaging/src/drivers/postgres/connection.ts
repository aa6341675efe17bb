import type { DataSource } from '@core-infra/database';

export interface Rows<Row> {
  readonly rows: Row[];
}

interface PgClient {
  query<Row>(sql: string, parameters?: readonly unknown[]): Promise<Rows<Row>>;
}

/** Statements on the pool of the app's database, each on its own, outside of any transaction that runs. */
export class Connection {
  constructor(private readonly dataSource: DataSource) {}

  async query<Row = unknown>(sql: string, parameters?: readonly unknown[]): Promise<Row[]> {
    return (await this.executeSql<Row>(sql, parameters)).rows;
  }

  /** What pg-boss asks of a database; also several statements in one text. */
  async executeSql<Row>(sql: string, parameters?: readonly unknown[]): Promise<Rows<Row>> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client = (await runner.connect()) as PgClient;
      try {
        return await client.query<Row>(sql, parameters);
      } catch (error) {
        // A text of several statements may have begun a transaction, which the pool must not get back.
        if (parameters === undefined) await client.query('ROLLBACK').catch(() => undefined);
        throw error;
      }
    } finally {
      await runner.release();
    }
  }
}
