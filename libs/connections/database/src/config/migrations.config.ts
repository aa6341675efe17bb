import { Secret } from '@core-infra/kernel';
import { IsArray, IsBoolean, IsInt, IsOptional, IsString, Matches, Min } from 'class-validator';
import type { MigrationInterface } from 'typeorm';

/** Where migrations are, and how they are applied. */
export class MigrationsConfig {
  /** Folder of `<name>.up.sql` and `<name>.down.sql`, from the working directory. @default 'migrations' */
  @IsString()
  directory: string = 'migrations';

  /** Migrations written as TypeORM classes, given in code; their names end in a timestamp of 13 digits. @default [] */
  @IsArray()
  classes: (new () => MigrationInterface)[] = [];

  /** Whether pending migrations are applied at boot, before the connection counts as open. @default false */
  @IsBoolean()
  atBoot: boolean = false;

  /** Table that records what was applied, with a schema if it is not on the search path. @default 'core_infra_migrations' */
  @IsString()
  @Matches(/^[a-z_][\w$]*(\.[a-z_][\w$]*)?$/i)
  table: string = 'core_infra_migrations';

  /** Role that applies migrations, where it is not the application's own. */
  @IsOptional()
  @IsString()
  user?: string;

  /** Password of that role. */
  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  /** How long to wait for another process that migrates, in milliseconds. @default 300_000 */
  @IsInt()
  @Min(1)
  lockTimeoutMs: number = 300_000;
}
