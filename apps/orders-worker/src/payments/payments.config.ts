import { ConfigSection, Nested } from '@core-infra/kernel';
import { IsInt, IsOptional, IsUrl, Max, Min } from 'class-validator';
import { FakePaymentsConfig } from '../fake-payments/fake-payments.config.js';

/** Section `payments`: who charges customers. */
@ConfigSection('payments')
export class PaymentsConfig {
  /** Address of the payment provider, e.g. `https://payments.example.com/v1`. @default the fake one of this process, where that is enabled */
  @IsOptional()
  @IsUrl({ protocols: ['http', 'https'], require_protocol: true, require_tld: false })
  url?: string;

  /** How long the provider may take to answer, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  @Max(60_000)
  timeoutMs: number = 5_000;

  @Nested(() => FakePaymentsConfig)
  fake: FakePaymentsConfig = new FakePaymentsConfig();

  static *check({ url, fake }: PaymentsConfig): Iterable<{ path: string; expected: string }> {
    if (!url && !fake.enabled) yield { path: 'url', expected: 'the address of the payment provider (PAYMENTS_URL)' };
  }
}
