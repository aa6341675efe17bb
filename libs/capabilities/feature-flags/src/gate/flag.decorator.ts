import {
  createParamDecorator,
  type ExecutionContext,
  Inject,
  Injectable,
  mixin,
  type PipeTransform,
  type Type,
} from '@nestjs/common';
import { FeatureFlags, type FlagContext } from '../feature-flags.js';
import type { FlagKey, ValueOf } from '../flag-types.js';
import type { ContextOfCall } from './flags-of-call.js';

export interface FlagOptions<T> {
  /** Where the flag has no value, or one of another type. @default undefined */
  fallback?: T;
  /** More of who calls than the running request tells. */
  context?: ContextOfCall;
}

/** What reaches the pipe: pipes of the whole app pass it on, as it is no plain object. */
class CallOfFlag {
  constructor(readonly attributes: FlagContext | undefined) {}
}

const callOf = createParamDecorator(
  (contextOf: ContextOfCall | undefined, context: ExecutionContext) => new CallOfFlag(contextOf?.(context)),
);

/** A flag's value for the caller, as a parameter of a handler: `@Flag('banner', { fallback: 'a' }) banner: 'a' | 'b'`. */
export function Flag<Key extends FlagKey>(flag: Key, options: FlagOptions<ValueOf<Key>> = {}): ParameterDecorator {
  return callOf(options.context, pipeOf(flag, options.fallback));
}

/** A pipe is injectable where a parameter decorator is not. */
function pipeOf(flag: string, fallback: unknown): Type<PipeTransform<CallOfFlag>> {
  @Injectable()
  class FlagPipe implements PipeTransform<CallOfFlag> {
    constructor(@Inject(FeatureFlags) private readonly flags: FeatureFlags) {}

    transform({ attributes }: CallOfFlag): unknown {
      return this.flags.value(flag as FlagKey, fallback as ValueOf<FlagKey>, attributes);
    }
  }
  return mixin(FlagPipe);
}
