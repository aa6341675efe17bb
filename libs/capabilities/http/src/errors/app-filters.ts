import { type ExceptionFilter, Injectable } from '@nestjs/common';
import { FILTER_CATCH_EXCEPTIONS } from '@nestjs/common/internal';
import { ModulesContainer } from '@nestjs/core';

type ErrorClass = abstract new (...args: never[]) => unknown;

/**
 * The global filters that the app registers itself (`APP_FILTER`). Nest asks the global filters in reverse order of registration and the root
 * module registers first, so a library's catch-all would always come before the app's own filters; ours asks them first instead.
 */
@Injectable()
export class AppFilters {
  private found?: ExceptionFilter[];

  constructor(private readonly modules: ModulesContainer) {}

  /** The app's filter for an exception, the one registered last first. */
  for(exception: unknown, self: ExceptionFilter): ExceptionFilter | undefined {
    this.found ??= [...this.modules.values()]
      .flatMap(module => [...module.providers.values()])
      .filter(({ subtype, instance }) => subtype === 'filter' && isFilter(instance) && instance !== self)
      .map(({ instance }) => instance as ExceptionFilter)
      .reverse();
    return this.found.find(filter => {
      const caught = (Reflect.getMetadata(FILTER_CATCH_EXCEPTIONS, filter.constructor) ?? []) as ErrorClass[];
      return caught.length === 0 || caught.some(errorClass => exception instanceof errorClass);
    });
  }
}

function isFilter(instance: unknown): instance is ExceptionFilter {
  return typeof (instance as Partial<ExceptionFilter> | null | undefined)?.catch === 'function';
}
