import type { LimitOptions } from './limit.options.js';

/** What a class or a method says of limits: some of its own, in the order in which they are written, or that there are none. */
export interface Declared {
  readonly limits: readonly LimitOptions[];
  readonly none: boolean;
}

const DECLARED = Symbol.for('core-infra:rate-limit');

const nothing: Declared = { limits: [], none: false };

/** What is declared on a class, those it extends included, or on a method. */
export function declaredOn(target: object): Declared {
  return (Reflect.getMetadata(DECLARED, target) as Declared | undefined) ?? nothing;
}

/** Decorators run from the last to the first, and a class comes after those it extends. */
export function declare(target: object, stated: LimitOptions | false): void {
  const { limits, none } = declaredOn(target);
  const declared: Declared = stated === false ? { limits, none: true } : { limits: [stated, ...limits], none };
  Reflect.defineMetadata(DECLARED, declared, target);
}
