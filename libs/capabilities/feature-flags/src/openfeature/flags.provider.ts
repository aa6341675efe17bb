import type { EvaluationContext, EventDetails, JsonValue, ResolutionDetails } from '@openfeature/core';
import { GenericEventEmitter, type Logger, ServerProviderEvents } from '@openfeature/core';
import { EventEmitter } from 'node:events';
import type { FeatureFlags, FlagContext, FlagDetails } from '../feature-flags.js';

type Listenable = {
  details(flag: string, fallback: unknown, context?: FlagContext): FlagDetails<unknown>;
} & Pick<FeatureFlags, 'onChange'>;

/** OpenFeature's events, as its own emitter gives them, without its SDK. */
class ProviderEvents extends GenericEventEmitter<ServerProviderEvents> {
  protected readonly eventEmitter = new EventEmitter({ captureRejections: true });

  constructor() {
    super();
    this.eventEmitter.on('error', (error: unknown) =>
      this._logger?.error('a handler of a provider event failed', error),
    );
  }
}

/** These flags for people who use the OpenFeature SDK: the same answers, and `PROVIDER_CONFIGURATION_CHANGED` with the flags that changed. */
export class FlagsProvider {
  readonly metadata = { name: 'core-infra' } as const;
  readonly runsOn = 'server';
  readonly events = new ProviderEvents();
  private readonly flags: Listenable;
  private unsubscribe: (() => void) | undefined;

  constructor(flags: FeatureFlags) {
    this.flags = flags as Listenable;
  }

  initialize(): Promise<void> {
    this.unsubscribe ??= this.flags.onChange(({ flags }) => {
      const details: EventDetails<ServerProviderEvents> = { providerName: 'core-infra', flagsChanged: [...flags] };
      this.events.emit(ServerProviderEvents.ConfigurationChanged, details);
    });
    return Promise.resolve();
  }

  onClose(): Promise<void> {
    this.unsubscribe?.();
    this.unsubscribe = undefined;
    return Promise.resolve();
  }

  resolveBooleanEvaluation(flag: string, fallback: boolean, context: EvaluationContext, _logger?: Logger) {
    return this.resolve(flag, fallback, context);
  }

  resolveStringEvaluation(flag: string, fallback: string, context: EvaluationContext, _logger?: Logger) {
    return this.resolve(flag, fallback, context);
  }

  resolveNumberEvaluation(flag: string, fallback: number, context: EvaluationContext, _logger?: Logger) {
    return this.resolve(flag, fallback, context);
  }

  resolveObjectEvaluation<T extends JsonValue>(
    flag: string,
    fallback: T,
    context: EvaluationContext,
    _logger?: Logger,
  ) {
    return this.resolve(flag, fallback, context);
  }

  private resolve<T>(flag: string, fallback: T, context: EvaluationContext): Promise<ResolutionDetails<T>> {
    const { value, variant, reason, errorCode, errorMessage, metadata } = this.flags.details(flag, fallback, context);
    return Promise.resolve({
      value: value as T,
      variant,
      reason,
      flagMetadata: metadata,
      ...(errorCode && { errorCode, errorMessage }),
    } as ResolutionDetails<T>);
  }
}
