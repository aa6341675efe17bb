import { IsArray, IsInt, IsOptional, IsString, Min } from 'class-validator';

/** What the check looks at besides the connection. */
export class NatsHealthConfig {
  /** Streams that must be there and take messages. @default [] */
  @IsArray()
  @IsString({ each: true })
  streams: string[] = [];

  /** How many messages may wait for a consumer, before it counts as degraded. @default any number */
  @IsOptional()
  @IsInt()
  @Min(0)
  maxPending?: number;

  /** How many messages may be delivered and not acknowledged, before a consumer counts as degraded. @default any number */
  @IsOptional()
  @IsInt()
  @Min(0)
  maxAckPending?: number;
}
