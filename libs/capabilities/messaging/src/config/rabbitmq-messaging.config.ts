import { IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

/** What the driver `rabbitmq` makes of topics and groups; the broker itself is configured in `rabbitmq`. */
export class RabbitmqMessagingConfig {
  /** Exchange of events; tasks have one of their own, named after it with `.tasks`. @default `rabbitmq.exchange`, or `events` */
  @IsOptional()
  @Matches(/^[\w.:-]{1,120}$/)
  exchange?: string;

  /**
   * What these two exchanges are. Other systems may bind queues of their own to a `topic` one by patterns; a `direct` one knows whole routing keys only,
   * and takes the broker about half the work for each message (measured with RabbitMQ 3.10). Those that exist must be of it. @default 'topic'
   */
  @IsIn(['topic', 'direct'])
  exchangeType: 'topic' | 'direct' = 'topic';

  /** How many queues a new group gets of each topic: so many members can share its work. A group that exists keeps what it has. @default 8 */
  @IsInt()
  @Min(1)
  @Max(64)
  partitions: number = 8;

  /** Messages of a group that may be parked in one process; beyond it nothing more is fetched until some are done. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(50_000)
  maxParked: number = 10_000;

  /** What becomes of an event that no group has subscribed to: publishing it is an error, or it is dropped. @default 'error' */
  @IsIn(['error', 'drop'])
  unroutable: 'error' | 'drop' = 'error';
}
