import type { InjectionToken, Provider } from '@nestjs/common';
import { getRepositoryToken } from '@nestjs/typeorm';
import { connectionToken, Connections, MissingConnectionError, connectionId } from '@core-infra/kernel';
import { type DataSource, EntitySchema, getMetadataArgsStorage, type ObjectLiteral, type Repository } from 'typeorm';
import type { Entity } from '../config/database.config.js';
import { FeatureEntities } from './feature-entities.js';

/** Repositories for `@InjectRepository(Order)`, or `@InjectRepository(Order, 'audit')` for a named connection. */
export function repositoryProviders(entities: readonly Entity[], connection: string): Provider[] {
  return entities.map(entity => ({
    provide: getRepositoryToken(entity, connection) as InjectionToken,
    inject: [{ token: connectionToken<DataSource>('database', connection), optional: true }, Connections],
    useFactory: (dataSource: DataSource | undefined, connections: Connections): Repository<ObjectLiteral> => {
      if (!dataSource) throw new MissingConnectionError(connectionId('database', connection), connections.ids());
      return isTree(entity) ? dataSource.getTreeRepository(entity) : dataSource.getRepository(entity);
    },
  }));
}

/** The provider that carries {@link FeatureEntities}. */
export function declareEntities(entities: readonly Entity[], connection: string): Provider {
  return { provide: Symbol('entities'), useValue: new FeatureEntities(connection, entities) };
}

/** Asked of the decorators rather than of the `DataSource`, which may not be connected yet. */
function isTree(entity: Entity): boolean {
  const target = entity instanceof EntitySchema ? entity.options.target : entity;
  return entity instanceof EntitySchema && entity.options.trees
    ? entity.options.trees.length > 0
    : getMetadataArgsStorage().trees.some(tree => tree.target === target);
}
