import {
  PATTERN_EXTRAS_METADATA,
  PATTERN_HANDLER_METADATA,
  PATTERN_METADATA,
  TRANSPORT_METADATA,
} from '@nestjs/microservices/constants.js';
import type { ModulesContainer } from '@nestjs/core';
import { PatternHandler } from '@nestjs/microservices/enums/pattern-handler.enum.js';
import type { HandlerExtras } from './handler.options.js';
import { MESSAGING_TRANSPORT } from './subscribe.decorator.js';

/** A method of a controller that is marked as a handler of events. */
export interface DeclaredHandler {
  /** `StockHandlers.reserve`. */
  readonly name: string;
  readonly type: string;
  readonly extras: HandlerExtras;
}

/** The handlers of an app that are ours to feed, by its controllers' decorators; nothing need be instantiated. */
export function declaredHandlers(modules: ModulesContainer): readonly DeclaredHandler[] {
  const found: DeclaredHandler[] = [];
  const controllers = new Set(
    [...modules.values()].flatMap(module => [...module.controllers.values()].map(({ metatype }) => metatype)),
  );
  for (const controller of controllers) if (typeof controller === 'function') found.push(...handlersOf(controller));
  return found;
}

function* handlersOf(controller: { readonly name: string; readonly prototype?: unknown }): Generator<DeclaredHandler> {
  for (
    let at = controller.prototype as object | null;
    at && at !== Object.prototype;
    at = Object.getPrototypeOf(at) as object | null
  )
    for (const key of Object.getOwnPropertyNames(at)) {
      const method: unknown = Object.getOwnPropertyDescriptor(at, key)?.value;
      if (
        typeof method !== 'function' ||
        Reflect.getMetadata(PATTERN_HANDLER_METADATA, method) !== PatternHandler.EVENT
      )
        continue;
      const transport: unknown = Reflect.getMetadata(TRANSPORT_METADATA, method);
      if (transport !== undefined && transport !== MESSAGING_TRANSPORT) continue;
      const extras = (Reflect.getMetadata(PATTERN_EXTRAS_METADATA, method) ?? {}) as HandlerExtras;
      for (const type of Reflect.getMetadata(PATTERN_METADATA, method) as unknown[])
        if (typeof type === 'string') yield { name: `${controller.name}.${key}`, type, extras };
    }
}
