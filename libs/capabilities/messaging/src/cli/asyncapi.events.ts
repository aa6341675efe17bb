import type { ModulesContainer } from '@nestjs/core';
import { resolveConfig, SectionDeclaration } from '@core-infra/kernel';
import { Routes } from '../bus/routes.js';
import { MessagingConfig } from '../config/messaging.config.js';
import type { EventDefinition } from '../events/event-definition.js';
import { type DeclaredHandler, declaredHandlers } from '../handlers/declared-handlers.js';

/** What an app says of its events without being booted. */
export interface KnownEvents {
  readonly definitions: readonly EventDefinition[];
  readonly handlers: readonly DeclaredHandler[];
  readonly config: MessagingConfig;
  readonly routes: Routes;
}

/** Definitions that the decorators of handlers name, and those in `messaging.events`; of a type, the newest version. */
export function knownEvents(modules: ModulesContainer, appName: string): KnownEvents {
  const given = [...modules.values()]
    .flatMap(module => [...module.providers.values()])
    .map(({ instance }) => instance as unknown)
    .find((found): found is SectionDeclaration => found instanceof SectionDeclaration && found.section === 'messaging');
  const config = resolveConfig({ section: 'messaging', Config: MessagingConfig, given: given?.given });
  const routes = new Routes(config, appName);
  const handlers = declaredHandlers(modules);
  for (const { type, extras } of handlers) {
    routes.topicOf(type);
    if (extras.definition) routes.define(extras.definition as EventDefinition);
  }
  const definitions = routes.known.toSorted((a, b) => (a.type < b.type ? -1 : 1));
  return { definitions, handlers, config, routes };
}
