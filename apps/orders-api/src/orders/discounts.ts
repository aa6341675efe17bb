import { FeatureFlags } from '@core-infra/feature-flags';
import { Injectable } from '@nestjs/common';

declare module '@core-infra/feature-flags' {
  interface FlagTypes {
    'launch-discount': boolean;
  }
}

const PERCENT = 10;

/** What is taken off an order: a tenth, for the share of users that the flag `launch-discount` is rolled out to. */
@Injectable()
export class Discounts {
  constructor(private readonly flags: FeatureFlags) {}

  /** @param amount in minor units @returns in minor units, rounded down */
  of(userId: string, amount: number): number {
    const hasDiscount = this.flags.isEnabled('launch-discount', { targetingKey: userId.toLowerCase() });
    return hasDiscount ? Math.floor((amount * PERCENT) / 100) : 0;
  }
}
