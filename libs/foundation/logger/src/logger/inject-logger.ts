import 'reflect-metadata';
import { Inject } from '@nestjs/common';
import { LoggerNameConflictError } from '../errors.js';
import { AppLogger } from './app.logger.js';

const NAME = 'core-infra:logger-name';

/**
 * Injects a logger: `constructor(@InjectLogger() logger: AppLogger)`, named after the class, or as told. Without a name the type alone does the same.
 * @throws LoggerNameConflictError when one class asks for two names
 */
export function InjectLogger(name?: string): ParameterDecorator & PropertyDecorator {
  return (target: object, key?: string | symbol, index?: number) => {
    const owner = index === undefined ? target.constructor : typeof target === 'function' ? target : target.constructor;
    const known = Reflect.getOwnMetadata(NAME, owner) as string | undefined;
    if (name !== undefined && known !== undefined && known !== name)
      throw new LoggerNameConflictError(owner.name, known, name);
    if (name !== undefined) Reflect.defineMetadata(NAME, name, owner);
    Inject(AppLogger)(target, key as string, index as number);
  };
}

/** The name of the logger of whoever is being made: a class's own or told name. */
export function loggerNameOf(inquirer: unknown): string {
  const owner: unknown = typeof inquirer === 'object' && inquirer !== null ? inquirer.constructor : inquirer;
  if (typeof owner !== 'function' || owner === Object || owner === Function) return 'app';
  return (Reflect.getMetadata(NAME, owner) as string | undefined) ?? owner.name;
}
