import { IsArray, IsInt, IsOptional, IsString, Min } from 'class-validator';

/** What the check looks at besides the connection. */
export class RabbitmqHealthConfig {
  /** Queues that must be there, without the prefix; those that are consumed are looked at by themselves. @default [] */
  @IsArray()
  @IsString({ each: true })
  queues: string[] = [];

  /** Exchanges that must be there and writable; `rabbitmq.exchange` and those that were published to are looked at by themselves. @default [] */
  @IsArray()
  @IsString({ each: true })
  exchanges: string[] = [];

  /** How many messages may be ready in a queue, before it counts as degraded. @default any number */
  @IsOptional()
  @IsInt()
  @Min(0)
  maxDepth?: number;
}
