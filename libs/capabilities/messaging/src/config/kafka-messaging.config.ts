import { IsBoolean, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

const both = /^(?=.*\{topic\})(?=.*\{group\})[\w.{}-]{1,200}$/;

/** The driver `kafka`: messages as records of topics, groups as Kafka's own consumer groups. */
export class KafkaMessagingConfig {
  /** Whether topics that are missing are made; if not, a missing one is an error that names it. @default true, in production false */
  @IsOptional()
  @IsBoolean()
  createTopics?: boolean;

  /** Partitions of the topics of events and tasks that are made here. @default the broker's `num.partitions` */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100_000)
  partitions?: number;

  /** Copies of every topic that is made here. @default the broker's `default.replication.factor` */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  replicationFactor?: number;

  /** How long what is settled may wait for its commit, in milliseconds; a process that is killed leaves so much to be delivered again. @default 200 */
  @IsInt()
  @Min(0)
  @Max(60_000)
  commitIntervalMs: number = 200;

  /** Messages of a group after which offsets are committed at once. @default 1_000 */
  @IsInt()
  @Min(1)
  commitEvery: number = 1_000;

  /** Messages of a group that may be parked in one process; beyond it nothing more is fetched until some are done. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  maxParked: number = 10_000;

  /** Name of the topic of a group's retries in `fast` mode and of replayed dead letters. @default '{topic}.{group}.retry' */
  @Matches(both, { message: 'must have {topic} and {group} in it' })
  retryTopic: string = '{topic}.{group}.retry';

  /** Name of the topic where a group's parked messages are kept. @default '{topic}.{group}.parked' */
  @Matches(both, { message: 'must have {topic} and {group} in it' })
  parkedTopic: string = '{topic}.{group}.parked';

  /** Name of the topic of a group's dead letters. @default '{group}.dlq' */
  @Matches(/^(?=.*\{group\})[\w.{}-]{1,200}$/, { message: 'must have {group} in it' })
  deadLetterTopic: string = '{group}.dlq';
}
