import { Alias, ConfigSection, ConnectionConfig, Env, IgnoredEnv, Nested, Synonyms } from '@core-infra/kernel';
import {
  ArrayNotEmpty,
  IsArray,
  IsBoolean,
  IsIn,
  IsInt,
  IsObject,
  IsOptional,
  IsString,
  Matches,
  Max,
  Min,
} from 'class-validator';
import type { KafkaConfig as KafkajsOptions } from 'kafkajs';
import { KafkaConsumerConfig } from './consumer.config.js';
import { KafkaHealthConfig } from './health.config.js';
import { KafkaRetryConfig } from './retry.config.js';
import { KafkaSaslConfig } from './sasl.config.js';
import { securityProblems } from './security.js';
import { KafkaTlsConfig } from './tls.config.js';

export type KafkaSecurityProtocol = 'PLAINTEXT' | 'SSL' | 'SASL_PLAINTEXT' | 'SASL_SSL';
export type KafkaCompression = 'none' | 'gzip' | 'snappy' | 'lz4' | 'zstd';

/** `host:port`, `[::1]:9092`. */
const hostPort = /^(\[[^\]\s]+\]|[^\s:/@]+):\d{1,5}$/;

/** A Kafka cluster. */
@ConfigSection('kafka')
@IgnoredEnv(
  ['KAFKA_CONN_IDLE_TIME'],
  'the driver kafkajs keeps its connections; one that the broker has closed for idleness is opened again when it is needed',
)
export class KafkaConfig extends ConnectionConfig {
  /** @default 'kafkajs' */
  @IsIn(['kafkajs'])
  driver: 'kafkajs' = 'kafkajs' as const;

  /** Brokers to ask for the others, `host:port`; one that answers is enough. @default ['localhost:9092'] */
  @IsArray()
  @ArrayNotEmpty()
  @Matches(hostPort, { each: true, message: 'each of $property must be host:port' })
  @Env('KAFKA_BOOTSTRAP_SERVERS')
  @Alias('bootstrap_servers')
  brokers: string[] = ['localhost:9092'];

  /** Name of this client in the brokers' logs and quotas. @default the app's name */
  @IsOptional()
  @IsString()
  clientId?: string;

  /** `PLAINTEXT`, `SSL`, `SASL_PLAINTEXT` or `SASL_SSL`; what it says must fit `tls` and `sasl`. @default what `tls` and `sasl` say */
  @IsOptional()
  @IsIn(['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL'])
  @Synonyms({ plaintext: 'PLAINTEXT', ssl: 'SSL', sasl_plaintext: 'SASL_PLAINTEXT', sasl_ssl: 'SASL_SSL' })
  securityProtocol?: KafkaSecurityProtocol;

  @Nested(() => KafkaTlsConfig)
  tls: KafkaTlsConfig = new KafkaTlsConfig();

  @Nested(() => KafkaSaslConfig)
  sasl: KafkaSaslConfig = new KafkaSaslConfig();

  /** Whether a production app refuses to boot without a login, or without TLS towards another host; else it warns. @default false */
  @IsBoolean()
  requireSecure: boolean = false;

  /** @default 'background' */
  @IsIn(['require', 'background'])
  override startup: 'require' | 'background' = 'background';

  /** Whether readiness falls while no broker answers; if not, the app counts as degraded. @default false */
  @IsBoolean()
  override critical: boolean = false;

  /** How long a boot waits for a broker, and one attempt to connect may take, in milliseconds. @default 15_000 */
  @IsInt()
  @Min(1)
  @Env('KAFKA_DIAL_TIMEOUT', { unit: 's' })
  @Alias('dial_timeout', { unit: 's' })
  override connectTimeoutMs: number = 15_000;

  /** Budget of one health check, in milliseconds. @default 3_000 */
  @IsInt()
  @Min(1)
  override checkTimeoutMs: number = 3_000;

  /** How long a broker may take to answer one request, in milliseconds, before it is sent again over another connection. @default 10_000 */
  @IsInt()
  @Min(100)
  requestTimeoutMs: number = 10_000;

  /** How long a record may take to be acknowledged, all attempts counted, in milliseconds. @default 30_000 */
  @IsInt()
  @Min(1)
  deliveryTimeoutMs: number = 30_000;

  /** Most records of one partition in one request. @default 100 */
  @IsInt()
  @Min(1)
  @Max(100_000)
  batchSize: number = 100;

  /** How long a record waits for others, in milliseconds; while a request is under way for its partition it waits for that anyway. @default 0 */
  @IsInt()
  @Min(0)
  @Max(60_000)
  lingerMs: number = 0;

  /** Most bytes of a record, and of one partition in one request; no more than the topic's `max.message.bytes`. @default 1_000_000 */
  @IsInt()
  @Min(1_024)
  maxMessageBytes: number = 1_000_000;

  /** Most bytes of records that wait for their acknowledgement; one more rejects at once. @default 67_108_864 */
  @IsInt()
  @Min(1_024)
  maxBufferedBytes: number = 67_108_864;

  /** `snappy` needs the package kafkajs-snappy, `lz4` kafkajs-lz4, `zstd` Node 22.15 or newer. @default 'none' */
  @IsIn(['none', 'gzip', 'snappy', 'lz4', 'zstd'])
  compression: KafkaCompression = 'none';

  /** Who has to have a record: `all` in-sync replicas, the `leader`, or nobody (`none`). @default 'all' */
  @IsIn(['all', 'leader', 'none'])
  acks: 'all' | 'leader' | 'none' = 'all';

  /** Whether the broker recognises a batch that is sent again after its answer was lost. @default true */
  @IsBoolean()
  idempotent: boolean = true;

  /** How long what is known of topics and their leaders counts as fresh, in milliseconds. @default 60_000 */
  @IsInt()
  @Min(1_000)
  metadataMaxAgeMs: number = 60_000;

  @Nested(() => KafkaConsumerConfig)
  consumer: KafkaConsumerConfig = new KafkaConsumerConfig();

  @Nested(() => KafkaRetryConfig)
  retry: KafkaRetryConfig = new KafkaRetryConfig();

  @Nested(() => KafkaHealthConfig)
  health: KafkaHealthConfig = new KafkaHealthConfig();

  /** More options of kafkajs, given in code: `socketFactory`, … @default {} */
  @IsObject()
  kafkajs: Partial<KafkajsOptions> = {};

  static *check(config: KafkaConfig): Iterable<{ path: string; expected: string }> {
    yield* securityProblems(config);
    const { acks, idempotent, consumer, retry } = config;
    if (idempotent && acks !== 'all')
      yield { path: 'idempotent', expected: `false, as acks is "${acks}", or acks "all" beside it` };
    if (consumer.heartbeatIntervalMs >= consumer.sessionTimeoutMs)
      yield { path: 'consumer.heartbeatIntervalMs', expected: 'less than consumer.sessionTimeoutMs' };
    if (retry.maxDelayMs < retry.firstDelayMs)
      yield { path: 'retry.maxDelayMs', expected: 'no less than retry.firstDelayMs' };
  }
}
