import { DataSource } from '@core-infra/database';
import { Injectable } from '@nestjs/common';
import { PaymentsConfig } from '../payments/payments.config.js';
import type { CardTemper, FakePayment, NewCharge } from './fake-payments.dto.js';

/** A call that the provider lets fail: before it has done anything, or after it has done all, the answer being lost. */
export type Failing = 'before' | 'after' | undefined;

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

  temperOf(card: string): CardTemper {
    return this.tempers.get(card) ?? 'good';
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

  /** Charges once for a key, however often it is asked. */
  async charge(key: string, { amount, currency }: NewCharge): Promise<FakePayment> {
    await this.database.query(
      `INSERT INTO fake_payments (idempotency_key, amount, currency) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`,
      [key, amount, currency],
    );
    return (await this.find(key))!;
  }

  async refund(key: string): Promise<void> {
    await this.database.query(
      `UPDATE fake_payments SET refunded_at = now() WHERE idempotency_key = $1 AND refunded_at IS NULL`,
      [key],
    );
  }

  async find(key: string): Promise<FakePayment | undefined> {
    const [found] = await this.database.query<FakePayment[]>(
      `SELECT id AS payment_id, amount::float8, currency, refunded_at IS NOT NULL AS refunded
       FROM fake_payments WHERE idempotency_key = $1`,
      [key],
    );
    return found;
  }
}
