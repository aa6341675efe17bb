import {
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Max,
  Min,
  ValidateNested,
} from 'class-validator';
import {
  Alias,
  ConfigSection,
  Env,
  EnvParts,
  EnvSum,
  IgnoredEnv,
  KeyParts,
  Live,
  Nested,
  Secret,
} from '@core-infra/kernel';

export class PoolConfig {
  @IsInt() @Min(1) @Live() @EnvSum('STORE_POOL_SIZE', 'STORE_MAX_OVERFLOW') @Alias('max_open_conns') max: number = 10;
  @IsInt() @Min(0) @Env('STORE_IDLE_MINUTES', { unit: 'm' }) @Alias('idle_time', { unit: 'm' }) idleTimeoutMs: number =
    60_000;
}

function hostAndPort(text: string): Record<string, unknown> {
  const [host, port] = text.split(':');
  if (!host || !port) throw new Error('host:port');
  return { host, port };
}

@ConfigSection('store')
@EnvParts('STORE_ADDR', hostAndPort)
@KeyParts('addr', hostAndPort)
@IgnoredEnv(['STORE_COMPRESS'], 'this store does not compress')
export class StoreConfig {
  @IsString() @Env('STORE_SERVER') host: string = 'localhost';
  @IsInt() @Min(1) @Max(65_535) port: number = 5000;
  @IsOptional() @IsString() @Secret() password?: string;
  @IsIn(['fast', 'safe']) mode: 'fast' | 'safe' = 'safe';
  @IsBoolean() echo: boolean = false;
  @IsArray() @IsString({ each: true }) tags: string[] = [];
  @IsObject() @Live() levels: Record<string, string> = {};
  @IsInt() @Min(0) @Live() @Alias('cache_bytes') cacheBytes: number = 1024;
  @IsInt() @Min(1) @Live() timeoutMs: number = 1_000;
  @ValidateNested() @Nested(() => PoolConfig) pool: PoolConfig = new PoolConfig();

  static *check(config: StoreConfig) {
    if (config.pool.max > 100 && config.mode === 'safe')
      yield { path: 'pool.max', expected: 'at most 100 in safe mode' };
  }
}

@ConfigSection('needy')
export class NeedyConfig {
  @IsString() url!: string;
}
