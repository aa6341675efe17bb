import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { type DataSource, transactionsOf } from '@core-infra/database';
import { HeldKey } from './held-key.js';
import type { IdempotencyConfig } from './idempotency.config.js';

/** An answer as it was sent. */
export interface Answer {
  readonly status: number;
  /** Those that the handler's answer has brought. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** What is known of a key: it is ours now, somebody's, was another request's, or was answered. */
export type Claim =
  | { readonly held: HeldKey }
  | { readonly busy: true }
  | { readonly reused: true }
  | { readonly answer: Answer | undefined };

interface Row {
  readonly fingerprint: Buffer;
  readonly status: number | null;
  readonly headers: Answer['headers'] | null;
  readonly body: Buffer | null;
  readonly locked: boolean;
}

/** The status of a request that is done, and of which no answer is kept: not yet, or never. */
const DONE = 0;

/** Answers by idempotency key, in a table. */
export class IdempotencyKeys {
  /** What becomes of a key is decided whether or not the caller still waits, who repeats a request just when he has given up waiting. */
  private readonly apart = AsyncLocalStorage.snapshot();

  constructor(
    private readonly dataSource: DataSource,
    readonly config: IdempotencyConfig,
  ) {}

  async claim(scope: Buffer, fingerprint: Buffer): Promise<Claim> {
    const owner = randomUUID();
    const { leaseMs, retentionMs } = this.config;
    for (;;) {
      const own = await this.dataSource.query<unknown[]>(
        `INSERT INTO messaging_idempotency_keys AS known (scope, fingerprint, owner, locked_until)
         VALUES ($1, $2, $3, now() + $4 * interval '1 millisecond')
         ON CONFLICT (scope) DO UPDATE SET fingerprint = excluded.fingerprint, owner = excluded.owner, locked_until = excluded.locked_until,
           status = NULL, headers = NULL, body = NULL, created_at = now()
         WHERE known.created_at < now() - $5 * interval '1 millisecond'
           OR (known.status IS NULL AND known.locked_until < now() AND known.fingerprint = excluded.fingerprint)
         RETURNING 1`,
        [scope, fingerprint, owner, leaseMs, retentionMs],
      );
      if (own.length > 0) return { held: new HeldKey(this, transactionsOf(this.dataSource), scope, owner) };
      const [row] = await this.dataSource.query<Row[]>(
        'SELECT fingerprint, status, headers, body, locked_until > now() AS locked FROM messaging_idempotency_keys WHERE scope = $1',
        [scope],
      );
      if (!row) continue; // given up meanwhile: it may be ours
      if (!row.fingerprint.equals(fingerprint)) return { reused: true };
      const { status, headers, body } = row;
      if (status === null || (status === DONE && row.locked)) return { busy: true };
      return { answer: body === null ? undefined : { status, headers: headers ?? {}, body } };
    }
  }

  /**
   * The effects of its request are in force with the transaction that runs: it is never handled again.
   * @returns whether the key is the owner's still
   */
  async mark(scope: Buffer, owner: string): Promise<boolean> {
    const [row] = await this.dataSource.query<{ marked: number }[]>(
      `WITH marked AS (
         UPDATE messaging_idempotency_keys SET status = coalesce(status, ${DONE}) WHERE scope = $1 AND owner = $2 RETURNING 1
       ) SELECT count(*)::integer AS marked FROM marked`,
      [scope, owner],
    );
    return row!.marked > 0;
  }

  /** @param answer `undefined` when it is too large to be kept */
  async finish(scope: Buffer, owner: string, answer: Answer | undefined): Promise<void> {
    await this.apart(() =>
      this.dataSource.query(
        'UPDATE messaging_idempotency_keys SET status = $3, headers = $4, body = $5, locked_until = now() WHERE scope = $1 AND owner = $2',
        [scope, owner, answer?.status ?? DONE, answer ? JSON.stringify(answer.headers) : null, answer?.body ?? null],
      ),
    );
  }

  /**
   * The next request with this key is a new one, unless effects of this one are in force.
   * @returns whether it is
   */
  async release(scope: Buffer, owner: string): Promise<boolean> {
    const [row] = await this.apart(() =>
      this.dataSource.query<{ gone: number }[]>(
        `WITH gone AS (DELETE FROM messaging_idempotency_keys WHERE scope = $1 AND owner = $2 AND status IS NULL RETURNING 1)
         SELECT count(*)::integer AS gone FROM gone`,
        [scope, owner],
      ),
    );
    return row!.gone > 0;
  }
}
