import { type DynamicModule, type InjectionToken, Module, type Provider } from '@nestjs/common';
import { getTransactionHostToken, TransactionHost } from '@nestjs-cls/transactional';
import { getDataSourceToken, getEntityManagerToken } from '@nestjs/typeorm';
import {
  type ConcernAsyncOptions,
  type ConfigInput,
  connectionToken,
  defineConcern,
  KernelModule,
  type Placement,
} from '@core-infra/kernel';
import { DataSource, EntityManager } from 'typeorm';
import { classifyPostgres } from './classify.js';
import { DatabaseConfig, type Entity } from './config/database.config.js';
import { postgres } from './drivers/postgres.js';
import { declareEntities, repositoryProviders } from './orm/feature-providers.js';
import { transactionsOf } from './transactions/run-in-transaction.js';
import { getTransactionsToken } from './transactions/transactional.decorator.js';
import { Transactions } from './transactions/transactions.js';

/** What `forRoot` takes. */
export type DatabaseOptions = ConfigInput<DatabaseConfig>;

const database = defineConcern<DatabaseConfig, DataSource>({
  name: 'database',
  healthName: 'postgres',
  port: DataSource,
  also: [
    { token: EntityManager, from: dataSource => dataSource.manager },
    { token: Transactions, from: transactionsOf },
    { token: TransactionHost, from: dataSource => transactionsOf(dataSource).host },
  ],
  config: DatabaseConfig,
  classify: classifyPostgres,
  drivers: { postgres },
});

/** DI token of a connection's `DataSource`: the class itself for the default one. */
export const getDatabaseToken = database.token;

/** Injects a `DataSource` by the name of its connection. */
export const InjectDatabase = database.Inject;

/** PostgreSQL: `DataSource`, `EntityManager`, repositories and {@link Transactions}, by type. */
@Module({})
export class DatabaseModule extends database.ConcernModule {
  static override forRoot(options: DatabaseOptions & Partial<Placement> = {}): DynamicModule {
    return withNamedTokens(super.forRoot(options), options.name);
  }

  static override forRootAsync(options: ConcernAsyncOptions<DatabaseOptions> = {}): DynamicModule {
    return withNamedTokens(super.forRootAsync(options), options.name);
  }

  /** Re-binds the plain `DataSource`, `EntityManager` and `Transactions` to a named connection, inside the importing module only. */
  static override forFeature(connection: string): DynamicModule;
  /**
   * Repositories of these entities, for `@InjectRepository(Order)`; the connection knows them without being told again.
   * @param connection its name. @default 'default'
   */
  static override forFeature(entities: readonly Entity[], connection?: string): DynamicModule;
  static override forFeature(first: string | readonly Entity[], connection: string = 'default'): DynamicModule {
    if (typeof first === 'string') return super.forFeature(first);
    const repositories = repositoryProviders(first, connection);
    return {
      module: class DatabaseFeatureModule {},
      imports: [KernelModule],
      providers: [declareEntities(first, connection), ...repositories],
      exports: repositories.map(provider => (provider as { provide: InjectionToken }).provide),
    };
  }
}

/** A named connection is also found by the tokens of @nestjs/typeorm and @nestjs-cls/transactional. */
function withNamedTokens(definition: DynamicModule, name: string = 'default'): DynamicModule {
  if (name === 'default' || definition.exports?.includes(getTransactionsToken(name))) return definition;
  const from = connectionToken<DataSource>('database', name);
  const tokens: Provider[] = [
    { provide: getDataSourceToken(name) as InjectionToken, useExisting: from },
    {
      provide: getEntityManagerToken(name) as InjectionToken,
      inject: [from],
      useFactory: (on: DataSource) => on.manager,
    },
    { provide: getTransactionsToken(name), inject: [from], useFactory: transactionsOf },
    { provide: getTransactionHostToken(name), inject: [from], useFactory: (on: DataSource) => transactionsOf(on).host },
  ];
  return {
    ...definition,
    providers: [...(definition.providers ?? []), ...tokens],
    exports: [...(definition.exports ?? []), ...tokens.map(token => (token as { provide: InjectionToken }).provide)],
  };
}
