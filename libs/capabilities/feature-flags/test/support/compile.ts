import { AppInfo, Clock, type ContextFields, RequestContext } from '@core-infra/kernel';
import { Logger } from '@nestjs/common';
import { FlagEngine } from '../../src/evaluation/flag-engine.js';
import type { FlagDefinition } from '../../src/flag-document.js';
import { type UntypedFlags, untyped } from './untyped.js';

export interface EngineOptions {
  readonly clock?: Clock;
  readonly request?: Partial<ContextFields>;
}

/** An engine with these flags, without a module around it. */
export function engineOf(defaults: Record<string, FlagDefinition>, options: EngineOptions = {}): UntypedFlags {
  const current = options.request as ContextFields | undefined;
  return untyped(
    new FlagEngine({
      id: 'feature-flags',
      logger: new Logger('feature-flags'),
      context: { current, set: () => undefined, run: RequestContext.none.run },
      clock: options.clock ?? Clock.system,
      app: { ...AppInfo.unknown, name: 'orders', version: '2.3.4', environment: 'staging' },
      defaults,
    }),
  );
}

export function booleanFlag(targeting?: unknown, more: Partial<FlagDefinition> = {}): FlagDefinition {
  return {
    state: 'ENABLED',
    variants: { on: true, off: false },
    defaultVariant: 'off',
    ...(targeting === undefined ? {} : { targeting }),
    ...more,
  };
}
