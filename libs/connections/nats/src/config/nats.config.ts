import { Alias, ConfigSection, ConnectionConfig, Env, EnvParts, KeyParts, Nested, Secret } from '@core-infra/kernel';
import {
  ArrayMinSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';
import { parseNatsUrls } from './address.js';
import { NatsHealthConfig } from './health.config.js';
import { NatsRetryConfig } from './retry.config.js';
import { NatsTlsConfig } from './tls.config.js';

/** A NATS server or cluster. What an address says merges with the fields; a contradiction is an error. */
@ConfigSection('nats')
@EnvParts('NATS_URL', parseNatsUrls)
@KeyParts('url', parseNatsUrls)
export class NatsConfig extends ConnectionConfig {
  /** @default 'nats' */
  @IsIn(['nats'])
  driver: 'nats' = 'nats';

  /** Whether the boot waits for the server (`require`) or goes on and keeps trying (`background`). @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls while the server is away; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** Whole addresses in place of the fields, separated by commas: `nats://user:password@a:4222,nats://b:4222`, `tls://` with TLS. */
  declare url?: string;

  /** `host:port` of some of the servers of one cluster; the others are found out. @default ['localhost:4222'] */
  @IsArray()
  @IsString({ each: true })
  @ArrayMinSize(1)
  servers: string[] = ['localhost:4222'];

  @IsOptional()
  @IsString()
  @Env('NATS_USERNAME')
  @Alias('username')
  user?: string;

  @IsOptional()
  @IsString()
  @Secret()
  password?: string;

  @IsOptional()
  @IsString()
  @Secret()
  token?: string;

  /** Credentials as `nsc` writes them (a JWT and its seed): the text itself, or the path of a file, which is read anew at each connection. */
  @IsOptional()
  @IsString()
  @Secret()
  @Env('NATS_CREDS')
  @Alias('creds')
  credentials?: string;

  /** Seed of an NKEY user: the text itself (`SU…`), or the path of a file. */
  @IsOptional()
  @IsString()
  @Secret()
  @Env('NATS_NKEY')
  @Alias('nkey')
  nkeySeed?: string;

  @Nested(() => NatsTlsConfig)
  tls: NatsTlsConfig = new NatsTlsConfig();

  @Nested(() => NatsRetryConfig)
  retry: NatsRetryConfig = new NatsRetryConfig();

  @Nested(() => NatsHealthConfig)
  health: NatsHealthConfig = new NatsHealthConfig();

  /** How long a boot waits for the server, and one attempt to connect may take, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  override connectTimeoutMs: number = 5_000;

  /** How often the server is asked for a sign of life, in milliseconds. @default 10_000 */
  @IsInt()
  @Min(100)
  @Max(600_000)
  pingIntervalMs: number = 10_000;

  /** How many of those may stay unanswered, before the connection is given up. @default 2 */
  @IsInt()
  @Min(1)
  @Max(100)
  maxPingsOut: number = 2;

  /** How long a message may take until its stream has it, waiting for a server that is away included, in milliseconds. @default 30_000 */
  @IsInt()
  @Min(1)
  @Max(3_600_000)
  deliveryTimeoutMs: number = 30_000;

  /** How long declaring, asking and one attempt to publish may take, in milliseconds. @default 5_000 */
  @IsInt()
  @Min(1)
  @Max(600_000)
  commandTimeoutMs: number = 5_000;

  /** What becomes of messages while the server is away: they wait for it (`wait`), or are errors at once (`fail`). @default 'wait' */
  @IsIn(['wait', 'fail'])
  whileAway: 'wait' | 'fail' = 'wait';

  /** How many messages may wait for their acknowledgement at once; more wait to be sent. @default 1_000 */
  @IsInt()
  @Min(1)
  @Max(65_535)
  maxInFlight: number = 1_000;

  /** Largest message, in bytes, its headers included. @default the server's */
  @IsOptional()
  @IsInt()
  @Min(1)
  maxPayloadBytes?: number;

  /** JetStream domain, where leaf nodes have one of their own. */
  @IsOptional()
  @IsString()
  jetstreamDomain?: string;

  /** Before the subjects of answers, for accounts that may not subscribe to all of `_INBOX`. @default '_INBOX' */
  @IsString()
  @Matches(/^[\w.$-]{1,64}$/)
  inboxPrefix: string = '_INBOX';

  /** Whether messages of this connection come back to its own core subscriptions. @default true */
  @IsBoolean()
  echo: boolean = true;

  /** Name of this connection in the server's own lists. @default the app's name */
  @IsOptional()
  @IsString()
  clientName?: string;

  static *check(config: NatsConfig): Iterable<{ path: string; expected: string }> {
    const { tls, retry, user, password, token, credentials, nkeySeed } = config;
    if (user !== undefined && password === undefined) yield { path: 'password', expected: 'the password of nats.user' };
    if (password !== undefined && user === undefined) yield { path: 'user', expected: 'the user of nats.password' };
    if ([user, token, credentials, nkeySeed].filter(each => each !== undefined).length > 1)
      yield { path: 'credentials', expected: 'one way to log in: user and password, token, credentials, or nkeySeed' };
    if (tls.cert && !tls.key) yield { path: 'tls.key', expected: 'the private key of tls.cert' };
    if (tls.key && !tls.cert) yield { path: 'tls.cert', expected: 'the certificate of tls.key' };
    if (retry.maxDelayMs < retry.firstDelayMs)
      yield { path: 'retry.maxDelayMs', expected: 'no less than retry.firstDelayMs' };
  }
}
