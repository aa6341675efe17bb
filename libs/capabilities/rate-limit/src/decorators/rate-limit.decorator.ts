import { declare } from './declared.js';
import { limitCalls } from './limited-method.js';
import type { LimitOptions } from './limit.options.js';

/** A class that holds handlers, or a method. */
export type LimitDecorator = ClassDecorator & MethodDecorator;

/**
 * Limits how often something may be done. On a handler of requests or messages, and on a controller for all of its handlers, it is decided before the
 * handler's other guards; a controller's limit counts the requests to all of its handlers together. On any other method of a provider it
 * is decided when the method is called, by whomever; the method must return a promise.
 *
 * Several decorators stack, and a handler's come on top of its controller's. Where a handler or its controller has any, the default of the
 * configuration does not count. `@RateLimit(false)` turns off all of them.
 *
 * A call that is refused rejects with {@link RateLimitedError}; under HTTP it is answered 429.
 *
 * @throws LimitDeclarationError at boot, with everything that cannot be meant
 */
export function RateLimit(options: LimitOptions | false): LimitDecorator {
  return (target: object, key?: string | symbol, descriptor?: PropertyDescriptor) => {
    if (key === undefined) return declare(target, options);
    if (typeof descriptor?.value !== 'function')
      throw new TypeError(`@RateLimit() is for classes and methods, and ${String(key)} is none.`);
    declare(descriptor.value as object, options);
    if (options !== false) limitCalls(target, key, descriptor);
  };
}

/** No limit counts here, the default of the configuration included: `@RateLimit(false)`. Lists of denied callers still do. */
export function SkipRateLimit(): LimitDecorator {
  return RateLimit(false);
}
