import { Alias, ConfigSection, ConnectionConfig, Env, EnvParts, KeyParts, Nested, Secret } from '@core-infra/kernel';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, MaxLength, Min } from 'class-validator';
import { parseRabbitmqUrl } from './address.js';
import { RabbitmqHealthConfig } from './health.config.js';
import { RabbitmqRetryConfig } from './retry.config.js';
import { RabbitmqTlsConfig } from './tls.config.js';

/** A RabbitMQ. What an address says merges with the fields; a contradiction is an error. */
@ConfigSection('rabbitmq')
@EnvParts('RABBITMQ_URL', parseRabbitmqUrl)
@KeyParts('url', parseRabbitmqUrl)
export class RabbitmqConfig extends ConnectionConfig {
  /** @default 'amqplib' */
  @IsIn(['amqplib'])
  driver: 'amqplib' = 'amqplib';

  /** Whether the boot waits for the broker (`require`) or goes on and keeps trying (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls while the broker is away; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** A whole address in place of the fields: `amqp://user:password@host:5672/vhost`, `amqps://` with TLS. */
  declare url?: string;

  /** @default 'localhost' */
  @IsString()
  host: string = 'localhost';

  /** With `amqps://` and no port in the address, 5671. @default 5672 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  port: number = 5672;

  /** @default 'guest' */
  @IsString()
  @Env('RABBITMQ_USERNAME')
  @Alias('username')
  user: string = 'guest';

  /** @default 'guest' */
  @IsString()
  @Secret()
  password: string = 'guest';

  /** Virtual host. @default '/' */
  @IsString()
  @MaxLength(255)
  vhost: string = '/';

  /** Exchange of messages that name none; empty is the default exchange, whose routing keys are names of queues. @default '' */
  @IsString()
  @MaxLength(127)
  exchange: string = '';

  /** Put before the name of every queue: `orders.`. @default '' */
  @IsString()
  @Matches(/^[\w.:-]{0,100}$/)
  queuePrefix: string = '';

  /** How many messages a consumer may have unsettled, unless it says otherwise. @default 50 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  prefetch: number = 50;

  /** How often each side tells the other that it is there, in milliseconds (whole seconds); after twice that the connection is given up. 0 is never. @default 10_000 */
  @IsInt()
  @Min(0)
  @Max(3_600_000)
  @Env('RABBITMQ_HEARTBEAT', { unit: 's' })
  @Alias('heartbeat', { unit: 's' })
  heartbeatMs: number = 10_000;

  /** How long a message may take until the broker has it, waiting for a broker that is away included, in milliseconds. @default 30_000 */
  @IsInt()
  @Min(1)
  @Max(3_600_000)
  deliveryTimeoutMs: number = 30_000;

  /** How long declaring, subscribing and asking may take, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  @Max(600_000)
  commandTimeoutMs: number = 5_000;

  /**
   * What becomes of messages while the broker is away: they wait for it, and those that were under way are sent again (`wait`), or are errors at once
   * (`fail`). @default 'wait'
   */
  @IsIn(['wait', 'fail'])
  whileAway: 'wait' | 'fail' = 'wait';

  /** How many messages may wait for the broker's confirmation at once; more wait to be sent. @default 2_000 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  maxInFlight: number = 2_000;

  @Nested(() => RabbitmqTlsConfig)
  tls: RabbitmqTlsConfig = new RabbitmqTlsConfig();

  @Nested(() => RabbitmqRetryConfig)
  retry: RabbitmqRetryConfig = new RabbitmqRetryConfig();

  @Nested(() => RabbitmqHealthConfig)
  health: RabbitmqHealthConfig = new RabbitmqHealthConfig();

  /** How long a boot waits for the broker, and one attempt to connect may take, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  override connectTimeoutMs: number = 5_000;

  /** Name of this connection in RabbitMQ's own lists. @default the app's name */
  @IsOptional()
  @IsString()
  clientName?: string;

  static *check(config: RabbitmqConfig): Iterable<{ path: string; expected: string }> {
    const { tls, retry, heartbeatMs } = config;
    if (heartbeatMs % 1_000 !== 0) yield { path: 'heartbeatMs', expected: 'whole seconds' };
    if (tls.cert && !tls.key) yield { path: 'tls.key', expected: 'the private key of tls.cert' };
    if (tls.key && !tls.cert) yield { path: 'tls.cert', expected: 'the certificate of tls.key' };
    if (retry.maxDelayMs < retry.firstDelayMs)
      yield { path: 'retry.maxDelayMs', expected: 'no less than retry.firstDelayMs' };
  }
}
