import { Secret } from '@core-infra/kernel';
import { IsArray, IsBoolean, IsObject, IsOptional, IsString, Matches } from 'class-validator';
import { hostPort } from './cluster.config.js';

/** What only the driver `sentinel` uses. */
export class RedisSentinelConfig {
  /** The sentinels, `host:port`; one that answers is enough. @default [] */
  @IsArray()
  @IsString({ each: true })
  @Matches(hostPort, { each: true, message: '$property must be host:port' })
  nodes: string[] = [];

  /** What the sentinels call the master. @default 'mymaster' */
  @IsString()
  masterName: string = 'mymaster';

  /** User at the sentinels, which have accounts of their own. */
  @IsOptional()
  @IsString()
  user?: string;

  /** Password at the sentinels. */
  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  /** Whether the sentinels speak TLS; with the certificates of `tls`. @default false */
  @IsBoolean()
  tls: boolean = false;

  /** Addresses as the sentinels name them, and as they are reached from here. @default {} */
  @IsObject()
  natMap: Record<string, string> = {};
}
