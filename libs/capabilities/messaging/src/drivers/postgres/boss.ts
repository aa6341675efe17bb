import type { DriverSite } from '@core-infra/kernel';
import { PgBoss } from 'pg-boss';
import type { PostgresMessagingConfig } from '../../config/postgres-messaging.config.js';
import { parkedTable } from '../../outbox/stores/parked.table.js';
import type { Connection } from './connection.js';
import { MessagingSchemaMissingError, MessagingSchemaRightsError } from './errors.js';
import { parkedIn, PARTITIONS } from './queues.js';

/** pg-boss looks after its tables at these intervals, in seconds; none of them is on the way of a message. */
const upkeep = {
  superviseIntervalSeconds: 600,
  monitorIntervalSeconds: 3_600,
  maintenanceIntervalSeconds: 3_600,
  queueCacheIntervalSeconds: 3_600,
  bamIntervalSeconds: 600,
  flowIntervalSeconds: 3_600,
};

/** pg-boss in the app's database, and the two tables by which members of a group share its queues. */
export class Boss {
  private boss?: PgBoss;
  private readonly known = new Set<string>();

  constructor(
    private readonly connection: Connection,
    private readonly config: PostgresMessagingConfig,
    private readonly site: DriverSite,
  ) {}

  /** Makes or updates the schema under pg-boss's own lock, which other processes that start now wait for. */
  async start(): Promise<void> {
    const { schema, migrate } = this.config;
    await this.stop();
    const boss = new PgBoss({ db: this.connection, schema, migrate, schedule: false, ...upkeep });
    boss.on('error', error => this.site.logger.warn(`pg-boss: ${error.message}`));
    // Its data can hold the values of a statement.
    boss.on('warning', ({ message }) => this.site.logger.warn(`pg-boss: ${message}`));
    this.boss = boss;
    try {
      if (!migrate && !(await this.isThere())) throw new MessagingSchemaMissingError(schema);
      await boss.start();
      if (migrate) await this.makeTables();
    } catch (error) {
      await this.stop();
      throw (error as { code?: string }).code === '42501' ? new MessagingSchemaRightsError(schema, error) : error;
    }
  }

  async stop(): Promise<void> {
    const { boss } = this;
    this.boss = undefined;
    await boss?.stop({ graceful: false, close: false });
  }

  /** Makes the queue if it is not there. */
  async ensureQueue(name: string): Promise<void> {
    if (this.known.has(name)) return;
    const { schema, retentionMs } = this.config;
    await this.running.createQueue(name, { retentionSeconds: Math.ceil(retentionMs / 1_000) });
    await this.connection.query(
      `INSERT INTO ${schema}.messaging_partition (name, number) SELECT $1, generate_series(0, $2::int) ON CONFLICT DO NOTHING`,
      [name, PARTITIONS - 1],
    );
    this.known.add(name);
  }

  /** Makes the queue if it is not there; what is published to the topic from now on goes to it as well. */
  async subscribe(topic: string, queue: string): Promise<void> {
    await this.ensureQueue(queue);
    await this.running.subscribe(topic, queue);
  }

  /** Removes jobs that are done. */
  async remove(queue: string, ids: string[]): Promise<void> {
    await this.running.deleteJob(queue, ids);
  }

  /** A queue may have been deleted by somebody. */
  forget(): void {
    this.known.clear();
  }

  private get running(): PgBoss {
    if (!this.boss) throw new Error('pg-boss is not started.');
    return this.boss;
  }

  private async isThere(): Promise<boolean> {
    const [row] = await this.connection.query<{ there: boolean }>(
      'SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL AS there',
      [`${this.config.schema}.version`, `${this.config.schema}.messaging_partition`],
    );
    return row!.there;
  }

  private async makeTables(): Promise<void> {
    const { schema } = this.config;
    // As pg-boss does: who comes second waits, and finds them.
    await this.connection.executeSql(`
      BEGIN;
      SELECT pg_advisory_xact_lock(hashtextextended('messaging ' || current_database() || '.${schema}', 0));
      CREATE TABLE IF NOT EXISTS ${schema}.messaging_partition (
        name text NOT NULL REFERENCES ${schema}.queue ON DELETE CASCADE, number int NOT NULL,
        member uuid, until timestamptz, PRIMARY KEY (name, number)) WITH (fillfactor = 50);
      CREATE TABLE IF NOT EXISTS ${schema}.messaging_member (
        name text NOT NULL REFERENCES ${schema}.queue ON DELETE CASCADE, member uuid NOT NULL,
        until timestamptz NOT NULL, PRIMARY KEY (name, member)) WITH (fillfactor = 50);
      ${parkedTable(parkedIn(schema), 'messaging_parked_lane', 'IF NOT EXISTS').join(';')};
      COMMIT`);
  }
}
