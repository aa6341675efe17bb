import { IsArray, IsInt, IsString, Min } from 'class-validator';

/** From when on a broker that answers counts as degraded. */
export class KafkaHealthConfig {
  /** Topics that must be there, besides those that this app writes to. @default [] */
  @IsArray()
  @IsString({ each: true })
  topics: string[] = [];

  /** How many messages a group of this app may be behind, over all of its partitions; 0 for any number. @default 10_000 */
  @IsInt()
  @Min(0)
  maxLag: number = 10_000;
}
