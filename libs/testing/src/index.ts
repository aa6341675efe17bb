export { type DevServices, type DevServicesOptions, startDevServices } from './dev-services/dev-services.js';
export {
  type Command,
  defineService,
  type DockerImage,
  type LaunchPlace,
  type LaunchPlan,
  type Resolution,
  type ServiceDefinition,
  type UnixUser,
} from './dev-services/service.definition.js';
export { type Lifetime, resolveService, type RunningService } from './dev-services/service.start.js';
export { knownServices } from './dev-services/services/index.js';
export { kafka } from './dev-services/services/kafka.service.js';
export { nats } from './dev-services/services/nats.service.js';
export { postgres } from './dev-services/services/postgres.service.js';
export { rabbitmq } from './dev-services/services/rabbitmq.service.js';
export { redis } from './dev-services/services/redis.service.js';
export { toxiproxy } from './dev-services/services/toxiproxy.service.js';
export {
  ChildEndedError,
  ServiceMissingError,
  ServiceStartError,
  ServiceStateError,
  UnsafeFolderError,
} from './errors.js';
export { TcpProxy, useTcpProxy } from './faults/tcp-proxy.js';
export { type ToxicProxy, useToxiproxy } from './faults/toxiproxy.js';
export { bootHttp, type BootHttpOptions, type HttpAdapter, httpAdapters, type HttpApp } from './helpers/boot-http.js';
export { bootInfra, type Importable, type InfraApp } from './helpers/boot-infra.js';
export { bootLogged, type LoggedApp } from './helpers/boot-logged.js';
export { eventually, type EventuallyOptions } from './helpers/eventually.js';
export { failure } from './helpers/failure.js';
export { loadedPackages } from './helpers/loaded-packages.js';
export { type LogRecord, RecordingLogger } from './helpers/recording-logger.js';
export { type Child, type ChildExit, runChild, type RunChildOptions } from './helpers/run-child.js';
export { uniqueName } from './helpers/unique-name.js';
export type { Started } from './helpers/use-started.js';
export {
  type KafkaCluster,
  type KafkaClusterOptions,
  startKafkaCluster,
  useKafkaCluster,
} from './kafka/kafka-cluster.js';
export type { KafkaGrant, KafkaSaslMechanism, KafkaServerOptions, KafkaUser } from './kafka/kafka.settings.js';
export { type KafkaServer, type KafkaTls, startKafka, useKafkaServer } from './kafka/start-kafka.js';
export { type TestKafka, useKafka } from './kafka/use-kafka.js';
export type { NatsServerOptions, NatsUser } from './nats/nats.settings.js';
export { type NatsServer, startNats, useNatsServer } from './nats/start-nats.js';
export { type TestNats, useNats } from './nats/use-nats.js';
export {
  type PostgresServer,
  type PostgresServerOptions,
  startPostgres,
  usePostgresServer,
} from './postgres/start-postgres.js';
export { type PgBouncer, usePgbouncer } from './postgres/use-pgbouncer.js';
export { type TestPostgres, usePostgres, type UsePostgresOptions } from './postgres/use-postgres.js';
export type { RabbitmqPermissions, RabbitmqServerOptions, RabbitmqUser } from './rabbitmq/rabbitmq.settings.js';
export { type RabbitmqServer, startRabbitmq, useRabbitmqServer } from './rabbitmq/start-rabbitmq.js';
export { type TestRabbitmq, useRabbitmq } from './rabbitmq/use-rabbitmq.js';
export type { RedisServerOptions, RedisUser } from './redis/redis.settings.js';
export { type RedisServer, type RedisTls, startRedis, useRedisServer } from './redis/start-redis.js';
export {
  type RedisCluster,
  type RedisClusterNode,
  type RedisClusterOptions,
  startRedisCluster,
  useRedisCluster,
} from './redis/redis-cluster.js';
export {
  type RedisSentinel,
  type RedisSentinelOptions,
  startRedisSentinel,
  useRedisSentinel,
} from './redis/redis-sentinel.js';
export { type TestRedis, useRedis } from './redis/use-redis.js';
export { type Authority, type Certificate, certificateAuthority, type ClientTls } from './tls/certificates.js';
