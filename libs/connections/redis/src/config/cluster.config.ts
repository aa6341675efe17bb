import { IsArray, IsIn, IsInt, IsObject, IsString, Matches, Max, Min } from 'class-validator';

/** `host:port`, `[::1]:6379`. */
export const hostPort = /^(\[[^\]]+\]|[^\s:/@]+):\d{1,5}$/;

/** What only the driver `cluster` uses. */
export class RedisClusterConfig {
  /** Nodes to ask for the others, `host:port`. @default the connection's host and port */
  @IsArray()
  @IsString({ each: true })
  @Matches(hostPort, { each: true, message: '$property must be host:port' })
  nodes: string[] = [];

  /** Addresses as the nodes name them, and as they are reached from here: `{ "10.0.0.1:6379": "localhost:7001" }`. @default {} */
  @IsObject()
  natMap: Record<string, string> = {};

  /** Who answers commands that only read: a replica may be behind. @default 'master' */
  @IsIn(['master', 'slave', 'all'])
  scaleReads: 'master' | 'slave' | 'all' = 'master';

  /** How often one command follows a redirection, or waits for a failover, before it rejects. @default 16 */
  @IsInt()
  @Min(0)
  @Max(100)
  maxRedirections: number = 16;

  /** Pause before a command follows the cluster through a failover, in milliseconds. @default 100 */
  @IsInt()
  @Min(0)
  @Max(10_000)
  redirectDelayMs: number = 100;

  /** How long one node may take to say who has which slots, in milliseconds. @default 1_000 */
  @IsInt()
  @Min(10)
  slotsRefreshTimeoutMs: number = 1_000;

  /** How often the slots are asked for besides, in milliseconds; 0 for only when a command is redirected. @default 30_000 */
  @IsInt()
  @Min(0)
  slotsRefreshIntervalMs: number = 30_000;
}
