import type { ModulesContainer } from '@nestjs/core';
import { getRepositoryToken } from '@nestjs/typeorm';
import { getMetadataArgsStorage } from 'typeorm';
import type { Entity } from '../config/database.config.js';

/** Carried by each `forFeature([…])`, so that the `DataSource` knows its entities before it is opened. */
export class FeatureEntities {
  constructor(
    readonly connection: string,
    readonly entities: readonly Entity[],
  ) {}
}

/** The entities that the app's modules name for a connection, by our `forFeature` or by TypeOrmModule's. */
export function entitiesOf(modules: ModulesContainer, connection: string): Entity[] {
  const found = new Set<Entity>();
  for (const module of modules.values()) {
    for (const provider of module.providers.values()) {
      const instance = provider.instance as unknown;
      if (instance instanceof FeatureEntities && instance.connection === connection)
        for (const entity of instance.entities) found.add(entity);
    }
    if (module.name === 'TypeOrmModule')
      for (const entity of namedBy(new Set(module.providers.keys()), connection)) found.add(entity);
  }
  return [...found];
}

/** TypeOrmModule keeps its list to itself; what it leaves in the graph are the tokens of its repositories. */
function namedBy(tokens: ReadonlySet<unknown>, connection: string): Entity[] {
  const targets = getMetadataArgsStorage().tables.flatMap(({ target }) =>
    typeof target === 'function' ? [target] : [],
  );
  return targets.filter(target => tokens.has(getRepositoryToken(target as new () => object, connection)));
}
