import type { CheckResult } from '@core-infra/kernel';
import { ThresholdExceededError } from '../errors.js';

export interface Measured {
  readonly what: string;
  readonly value: number;
  readonly degraded: number | undefined;
  readonly down: number | undefined;
  readonly print: (value: number) => string;
  readonly details: Record<string, number | string>;
}

/**
 * @returns the details, and that it is degraded where it is
 * @throws ThresholdExceededError when the value has reached `down`
 */
export function judge({ what, value, degraded, down, print, details }: Measured): CheckResult {
  if (down !== undefined && value >= down) throw new ThresholdExceededError(what, print(value), print(down));
  if (degraded !== undefined && value >= degraded)
    return { degraded: `${what} is ${print(value)}, at or above ${print(degraded)}`, ...details };
  return details;
}

export const percent = (ratio: number): string => `${(ratio * 100).toFixed(1)} %`;
export const megabytes = (bytes: number): string => `${Math.round(bytes / 1024 ** 2)} MB`;
export const milliseconds = (ms: number): string => `${Math.round(ms)} ms`;
export const rounded = (ratio: number): number => Math.round(ratio * 1_000) / 1_000;
