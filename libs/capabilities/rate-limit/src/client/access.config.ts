import { Live } from '@core-infra/kernel';
import { IsArray, IsString } from 'class-validator';

/** Callers whom no limit concerns, and callers who are refused. */
export class AccessConfig {
  /** Never limited: addresses and CIDR ranges, `loopback`, `private`, `user:<id>`, `api-key:<SHA-256 of the key in hex>`, `key:<what a limit's function returned>`. @default none */
  @Live()
  @IsArray()
  @IsString({ each: true })
  allow: string[] = [];

  /** Refused with 403, written like `allow`; who is on both is refused. @default none */
  @Live()
  @IsArray()
  @IsString({ each: true })
  deny: string[] = [];
}
