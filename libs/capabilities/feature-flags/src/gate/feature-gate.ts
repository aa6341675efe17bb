import {
  applyDecorators,
  type CanActivate,
  type ExecutionContext,
  HttpException,
  Inject,
  Injectable,
  mixin,
  NotFoundException,
  type Type,
  UseGuards,
} from '@nestjs/common';
import { FeatureOffError } from '../errors.js';
import { FeatureFlags } from '../feature-flags.js';
import type { BooleanFlagKey } from '../flag-types.js';
import type { ContextOfCall } from './flags-of-call.js';

export interface FeatureGateOptions {
  /** Where the flag has no value. @default false */
  fallback?: boolean;
  /** HTTP status while the flag is off; 404 is answered just as if there were no such route. @default 404 */
  status?: number;
  /** More of who calls than the running request tells. */
  context?: ContextOfCall;
}

/**
 * Lets callers through for whom the flag is on: on a controller or a handler, of HTTP or of messages. Others get `status`; a
 * message fails with {@link FeatureOffError}. Several gates must all be open.
 */
export function FeatureGate(flag: BooleanFlagKey, options: FeatureGateOptions = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(UseGuards(gateOf(flag, options)));
}

/** A class for each gate: Nest makes one instance of it in each module that has such a gate, with that module's `FeatureFlags`. */
function gateOf(
  flag: string,
  { fallback = false, status = 404, context: contextOf }: FeatureGateOptions,
): Type<CanActivate> {
  @Injectable()
  class FeatureGateGuard implements CanActivate {
    constructor(@Inject(FeatureFlags) private readonly flags: FeatureFlags) {}

    canActivate(context: ExecutionContext): boolean {
      if (this.flags.isEnabled(flag as BooleanFlagKey, contextOf?.(context), fallback)) return true;
      throw context.getType() === 'http' ? answer(context, status) : new FeatureOffError(flag, status);
    }
  }
  return mixin(FeatureGateGuard);
}

function answer(context: ExecutionContext, status: number): HttpException {
  const { method, originalUrl, url } = context
    .switchToHttp()
    .getRequest<{ method?: string; originalUrl?: string; url?: string }>();
  // To the letter what Nest's router says of a route that does not exist.
  if (status === 404) return new NotFoundException(`Cannot ${method} ${originalUrl ?? url}`);
  return new HttpException('This is not available', status);
}
