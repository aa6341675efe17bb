import { type ArgumentMetadata, BadRequestException, Injectable, ValidationPipe } from '@nestjs/common';
import type { ValidationError } from 'class-validator';
import { ValidationFailedError } from '../errors.js';
import { HttpConfig } from '../http.config.js';
import { fieldErrorsOf } from './field-errors.js';

/**
 * Nest's `ValidationPipe` as the whole app uses it: input becomes an instance of its class, and what the class does not
 * declare is refused, not dropped. Fails with {@link ValidationFailedError}.
 */
@Injectable()
export class InputPipe extends ValidationPipe {
  constructor(config: HttpConfig) {
    super({
      transform: true,
      whitelist: true,
      forbidNonWhitelisted: true,
      exceptionFactory: (errors: ValidationError[]) =>
        new ValidationFailedError(fieldErrorsOf(errors), config.validation.status),
    });
  }

  override async transform(value: unknown, metadata: ArgumentMetadata): Promise<unknown> {
    // A text that is wanted as text, as most parts of a path are, comes back as it is: the long way to that is not taken.
    if (typeof value === 'string' && metadata.metatype === String) return value;
    try {
      return (await super.transform(value, metadata)) as unknown;
    } catch (error) {
      // class-transformer recurses: input that is nested thousands of levels deep exhausts the stack, and is the caller's fault.
      if (error instanceof RangeError && /call stack/.test(error.message))
        throw new BadRequestException('The input is nested too deeply', { cause: error });
      throw error;
    }
  }
}
