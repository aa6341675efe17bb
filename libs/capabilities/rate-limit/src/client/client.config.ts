import { Alias, Live } from '@core-infra/kernel';
import { IsArray, IsInt, IsString, Matches, Max, Min } from 'class-validator';

/** Who a caller is. */
export class ClientConfig {
  /** Proxies whose `header` is believed: addresses, CIDR ranges, `loopback`, `linklocal`, `private`, or `unix` for whoever calls on a Unix socket. What anybody else sends in it counts for nothing. @default none */
  @Live()
  @Alias('trustedProxies')
  @IsArray()
  @IsString({ each: true })
  trustedProxies: string[] = [];

  /** So many proxies, counted from this process, are believed whatever their addresses; only where nobody can call it past them. @default 0 */
  @Live()
  @Alias('proxyHops')
  @IsInt()
  @Min(0)
  @Max(32)
  proxyHops: number = 0;

  /** The header in which the proxies say whom they were called by; `forwarded` is read as RFC 7239 says, any other as a list of addresses to which each proxy appends. @default x-forwarded-for */
  @Live()
  @IsString()
  @Matches(/^[\w-]+$/, { message: 'must be the name of a header' })
  header: string = 'x-forwarded-for';

  /** IPv6 addresses that agree in so many bits are one caller. @default 64 */
  @Live()
  @IsInt()
  @Min(32)
  @Max(128)
  ipv6Prefix: number = 64;

  /** The header that carries an API key, for limits `by: 'api-key'`. @default x-api-key */
  @Live()
  @IsString()
  @Matches(/^[\w-]+$/, { message: 'must be the name of a header' })
  apiKeyHeader: string = 'x-api-key';
}
