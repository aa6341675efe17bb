import type { FeatureFlags, FlagContext, FlagDetails, FlagsChange } from '../../src/index.js';
import type { FlagDocument } from '../../src/flag-document.js';

/** Flags by any name: an app of this repository may have declared its own, and there is one program of types for all. */
export interface UntypedFlags {
  isEnabled(flag: string, context?: FlagContext, fallback?: boolean): boolean;
  variant(flag: string, context?: FlagContext, fallback?: string): string | undefined;
  value<T>(flag: string, fallback: T, context?: FlagContext): T;
  details<T>(flag: string, fallback: T, context?: FlagContext): FlagDetails<T>;
  definitions(): FlagDocument;
  readonly version: number;
  onChange(listener: (change: FlagsChange) => void): () => void;
}

export function untyped(flags: FeatureFlags): UntypedFlags {
  return flags as unknown as UntypedFlags;
}
