import { IsBoolean, IsIn, IsInt, IsOptional, Matches, Max, Min } from 'class-validator';

/** What the driver `nats` makes of topics and groups; the server itself is configured in `nats`. */
export class NatsMessagingConfig {
  /** First word of all subjects; streams are called after it, in capitals. @default 'events' */
  @Matches(/^[a-z][a-z0-9_-]{0,59}$/, { message: 'must consist of lower-case letters, digits, dashes and underscores' })
  prefix: string = 'events';

  /**
   * Into how many parts each topic is divided: so many members of a group can share its work. The same for all who publish and subscribe; it cannot be
   * changed once the stream is there. @default 8
   */
  @IsInt()
  @Min(1)
  @Max(256)
  partitions: number = 8;

  /** Whether each topic has a stream of its own; if not, one stream has all of them. @default false */
  @IsBoolean()
  streamPerTopic: boolean = false;

  /** How long events are kept: until a limit below (`limits`), or until every group that is there has handled them (`interest`). @default 'limits' */
  @IsIn(['limits', 'interest'])
  retention: 'limits' | 'interest' = 'limits';

  /** How long an event is kept at most, in milliseconds; 0 is for ever. @default 604_800_000 */
  @IsInt()
  @Min(0)
  maxAgeMs: number = 604_800_000;

  /** How many bytes of events a stream keeps; then the oldest go. @default no limit */
  @IsOptional()
  @IsInt()
  @Min(1)
  maxBytes?: number;

  /** @default 'file' */
  @IsIn(['file', 'memory'])
  storage: 'file' | 'memory' = 'file';

  /** How many servers of a cluster keep each message. @default 1 */
  @IsInt()
  @Min(1)
  @Max(5)
  replicas: number = 1;

  /** What a group gets that is new: all that is kept, or what is published from then on. @default 'all' */
  @IsIn(['all', 'new'])
  startAt: 'all' | 'new' = 'all';

  /** A member that is not heard of for so long, in milliseconds, loses its partitions to others, who get what it had not settled. @default 5_000 */
  @IsInt()
  @Min(500)
  @Max(300_000)
  memberTimeoutMs: number = 5_000;

  /** Messages of a group that may be parked of the partitions of one process; beyond it nothing more is fetched until some are done. @default 10_000 */
  @IsInt()
  @Min(1)
  @Max(10_000_000)
  maxParked: number = 10_000;

  /** The same in bytes of them. @default 268_435_456 */
  @IsInt()
  @Min(1)
  maxParkedBytes: number = 268_435_456;
}
