import { PATTERN_EXTRAS_METADATA } from '@nestjs/microservices/constants.js';

/**
 * Has effects of a handler happen once though its events come twice: what its group has handled is recorded, in the transaction of the handler
 * where the inbox is in its database, and skipped when it comes again. That is the default wherever there is an inbox; `@Idempotent(false)` is
 * for a handler that may well run twice, and saves the record. Works with `@EventPattern` too, above or below it.
 */
export function Idempotent(idempotent: boolean = true): MethodDecorator {
  return (_target, _key, { value: method }: PropertyDescriptor) => {
    const extras = Reflect.getMetadata(PATTERN_EXTRAS_METADATA, method as object) as object | undefined;
    Reflect.defineMetadata(PATTERN_EXTRAS_METADATA, { ...extras, idempotent }, method as object);
  };
}
