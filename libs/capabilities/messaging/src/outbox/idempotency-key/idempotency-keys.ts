import { randomUUID } from 'node:crypto';
import type { DataSource } from '@core-infra/database';
import type { IdempotencyConfig } from './idempotency.config.js';

/** An answer as it was sent. */
export interface Answer {
  readonly status: number;
  /** Those that the handler's answer has brought. */
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: Buffer;
}

/** What is known of a key: it is ours now (`owner`), somebody's, was another request's, or was answered. */
export type Claim =
  | { readonly owner: string }
  | { readonly busy: true }
  | { readonly reused: true }
  | { readonly answer: Answer | undefined };

interface Row {
  readonly fingerprint: Buffer;
  readonly status: number | null;
  readonly headers: Answer['headers'] | null;
  readonly body: Buffer | null;
}

/** Answers by idempotency key, in a table. */
export class IdempotencyKeys {
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
      if (own.length > 0) return { owner };
      const [row] = await this.dataSource.query<Row[]>(
        'SELECT fingerprint, status, headers, body FROM messaging_idempotency_keys WHERE scope = $1',
        [scope],
      );
      if (!row) continue; // given up meanwhile: it may be ours
      if (!row.fingerprint.equals(fingerprint)) return { reused: true };
      if (row.status === null) return { busy: true };
      const { status, headers, body } = row;
      return { answer: body === null ? undefined : { status, headers: headers ?? {}, body } };
    }
  }

  /** @param answer `undefined` when it is too large to be kept */
  async finish(scope: Buffer, owner: string, answer: Answer | undefined): Promise<void> {
    await this.dataSource.query(
      'UPDATE messaging_idempotency_keys SET status = $3, headers = $4, body = $5 WHERE scope = $1 AND owner = $2',
      [scope, owner, answer?.status ?? 0, answer ? JSON.stringify(answer.headers) : null, answer?.body ?? null],
    );
  }

  /** The next request with this key is a new one. */
  async release(scope: Buffer, owner: string): Promise<void> {
    await this.dataSource.query('DELETE FROM messaging_idempotency_keys WHERE scope = $1 AND owner = $2', [
      scope,
      owner,
    ]);
  }
}
