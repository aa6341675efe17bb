import { Inject } from '@nestjs/common';
import { LimitEnforcer } from '../enforcement/limit.enforcer.js';
import { RateLimitNotWiredError } from '../errors.js';
import { isHandler } from './places.js';

/** Where Nest puts what the method needs: no global state, and each app has its own. */
const ENFORCER = Symbol.for('core-infra:rate-limit:enforcer');
const LIMITED = Symbol.for('core-infra:rate-limit:limited');

type Method = (...args: unknown[]) => unknown;
type Limited = object & { [ENFORCER]?: LimitEnforcer };

/** Has a method ask before it runs, unless it is a handler, for which the guard asks. A method with several limits asks once. */
export function limitCalls(target: object, key: string | symbol, descriptor: PropertyDescriptor): void {
  const original = descriptor.value as Method;
  Inject(LimitEnforcer)(target, ENFORCER);
  if (Reflect.hasMetadata(LIMITED, original)) return;
  const name = `${target.constructor.name}.${String(key)}`;
  // A proxy keeps the name and the parameters of the method, which other decorators and Nest read.
  descriptor.value = new Proxy(original, {
    apply: (method, self: Limited | undefined, args: unknown[]): unknown => {
      const run = (): unknown => Reflect.apply(method, self, args);
      // Decorators above this one may have wrapped the method again, and it is the outermost that Nest knows.
      const outermost = Reflect.get(target, key) as Method;
      if (isHandler(outermost, self?.constructor)) return run();
      const enforcer = self?.[ENFORCER];
      if (!enforcer) throw new RateLimitNotWiredError(name);
      return enforcer.enforceCall(outermost, target.constructor, args).then(run);
    },
  });
  for (const at of Reflect.getMetadataKeys(original) as unknown[])
    Reflect.defineMetadata(at, Reflect.getMetadata(at, original), descriptor.value as Method);
  Reflect.defineMetadata(LIMITED, true, descriptor.value as Method);
}
