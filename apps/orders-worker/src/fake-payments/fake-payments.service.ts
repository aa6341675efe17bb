import { DataSource, Transactional } from '@core-infra/database';
import { Injectable } from '@nestjs/common';
import { PaymentsConfig } from '../payments/payments.config.js';
import type { CardTemper, FakePayment, NewCharge, NewRefund } from './fake-payments.dto.js';

/** A call that the provider lets fail: before it has done anything, or after it has done all, the answer being lost. */
export type Failing = 'before' | 'after' | undefined;

/** `closed` after a refund; `garbled` says nothing of what has happened, which is nothing. */
export type ChargeOutcome = FakePayment | 'declined' | 'closed' | 'garbled';

interface Book extends FakePayment {
  readonly declined: boolean;
}

/** The books of the sample's payment provider. They outlive it, as a real one's would. */
@Injectable()
export class FakePaymentsService {
  private readonly tempers = new Map<string, CardTemper>();
  private calls = 0;
  private failed = 0;

  constructor(
    private readonly config: PaymentsConfig,
    private readonly database: DataSource,
  ) {
    const { declined, garbled } = config.fake;
    for (const card of declined) this.tempers.set(card, 'declined');
    for (const card of garbled) this.tempers.set(card, 'garbled');
  }

  change(card: string, temper: CardTemper): void {
    this.tempers.set(card, temper);
  }

  /** Counted rather than drawn, so that the same calls fail every time. */
  nextFailing(): Failing {
    this.calls += 1;
    if (Math.floor(this.calls * this.config.fake.failing) === this.failed) return undefined;
    this.failed += 1;
    return this.failed % 2 === 0 ? 'before' : 'after';
  }

  /** Decides once for a key: whoever asks again gets the same answer, whatever has become of the card. */
  @Transactional()
  async charge(key: string, { reference, amount, currency, card }: NewCharge): Promise<ChargeOutcome> {
    await this.lock(reference);
    const known = await this.decided(key);
    if (known) return known;
    if (await this.isClosed(reference)) return 'closed';
    const temper = this.tempers.get(card);
    if (temper === 'garbled') return 'garbled';
    await this.database.query(
      `INSERT INTO fake_payments (idempotency_key, reference, amount, currency, declined) VALUES ($1, $2, $3, $4, $5)`,
      [key, reference, amount, currency, temper === 'declined'],
    );
    return (await this.decided(key))!;
  }

  /** Gives back what was charged, and charges nothing for it from now on: a charge that is still on its way comes too late. */
  @Transactional()
  async refund(key: string, { reference }: NewRefund): Promise<void> {
    await this.lock(reference);
    await this.database.query(
      `INSERT INTO fake_refunds (idempotency_key, reference) VALUES ($1, $2) ON CONFLICT DO NOTHING`,
      [key, reference],
    );
    await this.database.query(
      `UPDATE fake_payments SET refunded_at = now() WHERE reference = $1 AND refunded_at IS NULL AND NOT declined`,
      [reference],
    );
  }

  /** Every charge that was made for it: more than one is one too many. */
  chargesOf(reference: string): Promise<FakePayment[]> {
    return this.database.query<FakePayment[]>(
      `SELECT id AS payment_id, amount::float8, currency, refunded_at IS NOT NULL AS refunded
       FROM fake_payments WHERE reference = $1 AND NOT declined ORDER BY charged_at, id`,
      [reference],
    );
  }

  private async decided(key: string): Promise<ChargeOutcome | undefined> {
    const [found] = await this.database.query<Book[]>(
      `SELECT id AS payment_id, amount::float8, currency, refunded_at IS NOT NULL AS refunded, declined
       FROM fake_payments WHERE idempotency_key = $1`,
      [key],
    );
    if (!found) return undefined;
    const { declined, ...payment } = found;
    return declined ? 'declined' : payment;
  }

  private async isClosed(reference: string): Promise<boolean> {
    const found = await this.database.query<object[]>(`SELECT FROM fake_refunds WHERE reference = $1`, [reference]);
    return found.length > 0;
  }

  /** Calls for one reference come after each other, so that of a charge and a refund one sees the other. */
  private async lock(reference: string): Promise<void> {
    await this.database.query(`SELECT pg_advisory_xact_lock(hashtextextended('fake-payments ' || $1, 0))`, [reference]);
  }
}
