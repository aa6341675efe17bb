import type { LimitRule } from '@core-infra/rate-limit';

/**
 * GCRA in its other form, virtual scheduling: for each window the theoretical arrival time of the next unit, here in exact integers (times
 * `limit`). What it says, the drivers have to say.
 */
export class GcraModel {
  private readonly arrivals = new Map<string, bigint[]>();

  consume(rule: LimitRule, key: string, cost: number, nowMs: number): { waitMs: number; remaining: number[] } {
    const kept = this.arrivals.get(key) ?? rule.windows.map(() => 0n);
    const windows = rule.windows.map(({ limit, windowMs }, index) => {
      const [now, unit, full] = [BigInt(nowMs) * BigInt(limit), BigInt(windowMs), BigInt(limit) * BigInt(windowMs)];
      const from = kept[index]! > now ? kept[index]! : now;
      const next = from + BigInt(cost) * unit;
      const asked = from + BigInt(Math.max(cost, 1)) * unit;
      const late = asked - now - full;
      return { waitMs: late > 0n ? ceil(late, BigInt(limit)) : 0, from, next, now, unit, full };
    });
    const waitMs = Math.max(...windows.map(window => window.waitMs));
    if (waitMs === 0)
      this.arrivals.set(
        key,
        windows.map(({ next }) => next),
      );
    return {
      waitMs,
      remaining: windows.map(({ from, next, now, unit, full }) =>
        Number((full - ((waitMs === 0 ? next : from) - now)) / unit),
      ),
    };
  }

  reset(key: string): void {
    this.arrivals.delete(key);
  }
}

function ceil(dividend: bigint, divisor: bigint): number {
  return Number((dividend + divisor - 1n) / divisor);
}
