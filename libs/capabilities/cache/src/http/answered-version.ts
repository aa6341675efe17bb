import { type Type, type VersioningOptions, VersioningType } from '@nestjs/common';
import { VERSION_METADATA } from '@nestjs/common/constants.js';
import type { CacheResponseOptions } from './cache-response.options.js';

/** A handler's name and version: controllers of two versions often have one name, and one path. */
export function handlerName(controller: Type, handler: (...args: never[]) => unknown): string {
  return [controller.name, handler.name, ...versionsOf(controller, handler)].join('.');
}

/** Has the answer vary by the header that names the version, where it is a header that does. */
export function variedByVersion(
  options: CacheResponseOptions,
  versioning: VersioningOptions | undefined,
  controller: Type,
  handler: (...args: never[]) => unknown,
): CacheResponseOptions {
  const header =
    versioning?.type === VersioningType.HEADER
      ? versioning.header
      : versioning?.type === VersioningType.MEDIA_TYPE
        ? 'Accept'
        : undefined;
  if (header === undefined) return options;
  if (versioning?.defaultVersion === undefined && versionsOf(controller, handler).length === 0) return options;
  return { ...options, varyBy: [...(options.varyBy ?? []), { header }] };
}

function versionsOf(controller: Type, handler: (...args: never[]) => unknown): string[] {
  const version: unknown =
    Reflect.getMetadata(VERSION_METADATA, handler) ?? Reflect.getMetadata(VERSION_METADATA, controller);
  return version === undefined ? [] : [version].flat().map(String);
}
