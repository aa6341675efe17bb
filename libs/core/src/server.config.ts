import { ConfigSection, Env } from '@core-infra/kernel';
import { IsInt, IsOptional, IsString, Max, Min } from 'class-validator';

/** Where the HTTP server listens. It shares the section `http` with the http module. */
@ConfigSection('http')
export class ServerConfig {
  /** Port to listen on; 0 takes a free one. @default 3000 */
  @Env('APP_PORT', 'SERVER_PORT', 'PORT')
  @IsInt()
  @Min(0)
  @Max(65_535)
  port: number = 3000;

  /** Address to listen on. @default 127.0.0.1 in development and test, 0.0.0.0 elsewhere */
  @IsOptional()
  @IsString()
  host?: string;

  /**
   * How long an idle keep-alive connection stays open, in milliseconds.
   * It has to be longer than the load balancer's own limit, or that reuses a connection as it closes. @default 72_000
   */
  @IsInt()
  @Min(0)
  keepAliveTimeoutMs: number = 72_000;
}
