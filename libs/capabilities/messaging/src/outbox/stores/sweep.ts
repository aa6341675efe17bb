import type { DataSource } from '@core-infra/database';

/** Rows that are kept for a while. */
export interface Kept {
  readonly table: string;
  /** When a row's time begins. */
  readonly column: string;
  readonly retentionMs: number;
}

const batch = 2_000;
const pauseMs = 50;
const shortestMs = 60_000;
const longestMs = 3_600_000;

/**
 * Deletes rows whose time is over, in small batches, by one process at a time. It looks again when the oldest row is due: at most once a minute,
 * at least once an hour.
 */
export class Sweep {
  private timer?: NodeJS.Timeout;
  private running: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly dataSource: DataSource,
    private readonly kept: Kept,
    private readonly failed: (error: unknown) => void,
  ) {}

  start(): void {
    this.running = this.turn();
  }

  async stop(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.running;
  }

  private async turn(): Promise<void> {
    let nextMs = shortestMs;
    try {
      const full = (await this.deleteSome()) === batch;
      nextMs = full ? pauseMs : Math.min(longestMs, Math.max(shortestMs, await this.dueInMs()));
    } catch (error) {
      this.failed(error);
    }
    if (this.stopped) return;
    this.timer = setTimeout(() => (this.running = this.turn()), nextMs);
    this.timer.unref();
  }

  private async deleteSome(): Promise<number> {
    const { table, column, retentionMs } = this.kept;
    // The condition is there twice: a row that was renewed since it was found is at its place still for the snapshot, and not to be deleted.
    const [row] = await this.dataSource.query<{ gone: number }[]>(
      `WITH lock AS MATERIALIZED (SELECT pg_try_advisory_xact_lock(hashtext('core-infra'), hashtext('${table}')) AS held),
            gone AS (
              DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
                SELECT ctid FROM ${table} WHERE (SELECT held FROM lock) AND ${column} < now() - $1 * interval '1 millisecond'
                ORDER BY ${column} LIMIT ${batch}
              )) AND ${column} < now() - $1 * interval '1 millisecond' RETURNING 1
            )
       SELECT count(*)::integer AS gone FROM gone`,
      [retentionMs],
    );
    return row!.gone;
  }

  private async dueInMs(): Promise<number> {
    const { table, column, retentionMs } = this.kept;
    const [row] = await this.dataSource.query<{ age: string | null }[]>(
      `SELECT extract(epoch FROM now() - min(${column})) * 1000 AS age FROM ${table}`,
    );
    return retentionMs - Number(row!.age ?? 0);
  }
}
