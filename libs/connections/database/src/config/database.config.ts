import {
  Alias,
  ConfigSection,
  ConnectionConfig,
  Env,
  EnvParts,
  KeyParts,
  Live,
  Nested,
  Secret,
} from '@core-infra/kernel';
import { IsArray, IsBoolean, IsIn, IsInt, IsObject, IsOptional, IsString, Max, Min } from 'class-validator';
import type { EntitySchema } from 'typeorm';
import type { PostgresDataSourceOptions } from 'typeorm/driver/postgres/PostgresDataSourceOptions.js';
import { parseDsn } from './dsn.js';
import { MigrationsConfig } from './migrations.config.js';
import { PoolConfig } from './pool.config.js';

export type SslMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

/** An entity class, or a schema that describes one. */
// eslint-disable-next-line typescript/no-unsafe-function-type
export type Entity = Function | EntitySchema;

/** TypeORM's own options, but for those that this configuration sets. */
export type TypeOrmOptions = Omit<
  Partial<PostgresDataSourceOptions>,
  | 'type'
  | 'url'
  | 'host'
  | 'port'
  | 'username'
  | 'password'
  | 'database'
  | 'ssl'
  | 'driver'
  | 'nativeDriver'
  | 'extra'
  | 'entities'
  | 'poolSize'
  | 'connectTimeoutMS'
  | 'poolErrorHandler'
  | 'applicationName'
  | 'migrations'
  | 'replication'
>;

/** A PostgreSQL database. What a DSN says merges with the fields; a contradiction is an error. */
@ConfigSection('database')
@EnvParts('DATABASE_URL', parseDsn)
@EnvParts('POSTGRES_DSN', parseDsn)
@EnvParts('DATABASE_DSN', parseDsn)
@KeyParts('url', parseDsn)
@KeyParts('dsn', parseDsn)
export class DatabaseConfig extends ConnectionConfig {
  /** The one driver. @default 'postgres' */
  @IsIn(['postgres'])
  driver: 'postgres' = 'postgres';

  /** A whole DSN in place of the fields: `postgresql://user:password@host:5432/name?sslmode=require`, or libpq's `host=… dbname=…`. */
  declare url?: string;

  /** The same under another name. */
  declare dsn?: string;

  /** Name, address, or the folder of a Unix socket. @default 'localhost' */
  @IsString()
  host: string = 'localhost';

  /** @default 5432 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  port: number = 5432;

  /** @default 'postgres' */
  @IsString()
  @Alias('username')
  user: string = 'postgres';

  /** Without one, `~/.pgpass` is asked where the server wants a password. */
  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  /** Name of the database; in files also `name`, as `name` in code is the name of the connection. @default 'postgres' */
  @IsString()
  @Env('DATABASE_NAME', 'DATABASE_DB_NAME')
  @Alias('name')
  @Alias('db_name')
  @Alias('dbname')
  database: string = 'postgres';

  /**
   * As in libpq: `disable` no TLS; `prefer` TLS where the server has it; `require` TLS, unverified unless there is `sslCa`;
   * `verify-ca` a certificate signed by `sslCa`; `verify-full` that, and issued to `host`. @default 'prefer'
   */
  @IsIn(['disable', 'prefer', 'require', 'verify-ca', 'verify-full'])
  @Alias('sslmode')
  @Alias('ssl_mode')
  sslMode: SslMode = 'prefer';

  /** Certificates to trust, as PEM or as the path of a file; `verify-full` without it trusts Node's own list. */
  @IsOptional()
  @IsString()
  @Alias('sslrootcert')
  sslCa?: string;

  /** The client's certificate, as PEM or as the path of a file. */
  @IsOptional()
  @IsString()
  @Alias('sslcert')
  sslCert?: string;

  /** The client's private key, as PEM or as the path of a file. */
  @IsOptional()
  @IsString()
  @Secret()
  @Alias('sslkey')
  sslKey?: string;

  /** Whether the login is bound to the TLS channel, as in libpq: `prefer` where the server offers it. @default 'prefer' */
  @IsIn(['disable', 'prefer', 'require'])
  @Alias('channel_binding')
  channelBinding: 'disable' | 'prefer' | 'require' = 'prefer';

  /** Settings of each session in the server's own notation, e.g. `-c search_path=audit`. */
  @IsOptional()
  @IsString()
  sessionOptions?: string;

  /** Name of this client in `pg_stat_activity`. @default the app's name */
  @IsOptional()
  @IsString()
  @Alias('application_name')
  applicationName?: string;

  @Nested(() => PoolConfig)
  pool: PoolConfig = new PoolConfig();

  /** How long one statement may run, in milliseconds; 0 for no limit. @default 60_000 */
  @IsInt()
  @Min(0)
  @Alias('statement_timeout')
  statementTimeoutMs: number = 60_000;

  /** How long a statement may wait for a lock, in milliseconds; 0 for no limit. @default 30_000 */
  @IsInt()
  @Min(0)
  @Alias('lock_timeout')
  lockTimeoutMs: number = 30_000;

  /** How long a transaction may lie idle before the server ends its session, in milliseconds; 0 for no limit. @default 60_000 */
  @IsInt()
  @Min(0)
  idleInTransactionTimeoutMs: number = 60_000;

  /** How often a transaction that failed to serialise, or lost a deadlock, is run again. @default 3 */
  @IsInt()
  @Min(0)
  @Max(20)
  transactionRetries: number = 3;

  /** Logs every statement at debug level, parameters masked. @default false */
  @IsBoolean()
  @Live()
  @Alias('logging')
  echo: boolean = false;

  /** Statements that take longer are logged as a warning, in milliseconds; 0 for never. @default 500 */
  @IsInt()
  @Min(0)
  @Live()
  @Alias('slow_query')
  slowQueryMs: number = 500;

  /** A connection that is kept out of the pool for longer is logged once, with the place that took it, in milliseconds; 0 for never. @default 30_000 */
  @IsInt()
  @Min(0)
  clientHeldWarningMs: number = 30_000;

  @Nested(() => MigrationsConfig)
  migrations: MigrationsConfig = new MigrationsConfig();

  /** Entities besides those of `forFeature`, given in code. @default [] */
  @IsArray()
  entities: Entity[] = [];

  /** More options of TypeORM, given in code: `namingStrategy`, `subscribers`, `schema`, … @default {} */
  @IsObject()
  typeorm: TypeOrmOptions = {};

  static *check(config: DatabaseConfig): Iterable<{ path: string; expected: string }> {
    if (config.sslMode === 'verify-ca' && !config.sslCa)
      yield { path: 'sslCa', expected: 'the certificate authority that sslMode "verify-ca" verifies against' };
    if (config.sslCert && !config.sslKey) yield { path: 'sslKey', expected: 'the private key of sslCert' };
    if (config.sslKey && !config.sslCert) yield { path: 'sslCert', expected: 'the certificate of sslKey' };
    if (config.migrations.password && !config.migrations.user)
      yield { path: 'migrations.user', expected: 'the role that migrations.password belongs to' };
  }
}
