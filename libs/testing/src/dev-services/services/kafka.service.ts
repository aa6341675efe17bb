import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pingKafka } from '../../kafka/kafka.admin.js';
import {
  adminPort,
  kafkaFiles,
  kafkaProperties,
  type KafkaSettings,
  scramArguments,
} from '../../kafka/kafka.settings.js';
import { findProgram } from '../programs.js';
import {
  defineService,
  type DockerImage,
  type LaunchPlace,
  type LaunchPlan,
  ownServer,
  type ServiceDefinition,
} from '../service.definition.js';

const INSTALL = 'Install Java 17 and Maven and run `.ci/servers.sh`';
const PROPERTIES = 'server.properties';

/** Apache Kafka (KRaft): `kafka-class` of `.dev-services/bin`, or the official image. */
export const kafka: ServiceDefinition = { ...kafkaService(), docker: inDocker() };

/** A Kafka that is started with settings of its own; only by Java, as its certificates, accounts and ports are files and numbers of this machine. */
export function kafkaService(settings: KafkaSettings = {}): ServiceDefinition {
  return defineService({
    name: 'kafka',
    env: ['KAFKA_BROKERS', 'KAFKA_BOOTSTRAP_SERVERS'],
    optional: true,
    url: ({ port }) => `127.0.0.1:${port}`,
    ready: url => pingKafka(adminPort(settings, Number(url.split(':')[1]))),
    isInstalled: () => program() !== undefined,
    native: place => {
      const command = program();
      return Promise.resolve(command === undefined ? undefined : installed(command, settings, place));
    },
    missing: `${INSTALL}, start Docker`,
  });
}

/** The same, as a definition for a server of one's own. */
export function kafkaNode(settings: KafkaSettings = {}): ServiceDefinition {
  return { ...ownServer(kafkaService(settings)), missing: INSTALL };
}

/** It runs Java, so both have to be there. */
function program(): string | undefined {
  return findProgram('java') === undefined ? undefined : findProgram('kafka-class', 'KAFKA_CLASS_BIN');
}

function installed(command: string, settings: KafkaSettings, place: LaunchPlace): LaunchPlan {
  const properties = join(place.folder, PROPERTIES);
  const write = (port: number): void =>
    writeFileSync(properties, kafkaProperties(settings, place.folder, port), { mode: 0o600 });
  return {
    how: 'installed',
    prepare: async run => {
      for (const [name, text] of Object.entries(kafkaFiles(settings)))
        writeFileSync(join(place.folder, name), text, { mode: 0o600 });
      write(9_092);
      // One that runs on its data again is left as it is.
      const format = ['format', '--ignore-formatted', '--cluster-id', clusterId(settings), '--config', properties];
      await run({ command, args: ['kafka.tools.StorageTool', ...format, ...scramArguments(settings)] });
    },
    start: port => {
      write(port);
      return { command, args: ['kafka.Kafka', properties] };
    },
    stopSignal: 'SIGTERM',
    endSignal: place.durable ? 'SIGTERM' : 'SIGKILL',
    isTransient: log => /Address already in use|BindException/.test(log),
  };
}

/** A UUID in base64url; all brokers of a cluster have the same, and no argument may begin with a dash. */
function clusterId({ cluster }: KafkaSettings): string {
  if (cluster) return 'Y2x1c3Rlci1vZi1zcGVjcw';
  return `A${randomBytes(16).toString('base64url').slice(1, 21)}A`;
}

function inDocker(): DockerImage {
  return {
    image: 'apache/kafka:4.3.1',
    port: 9_092,
    data: '/var/lib/kafka/data',
    env: (_secret, port) => ({
      KAFKA_NODE_ID: '1',
      KAFKA_PROCESS_ROLES: 'broker,controller',
      KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
      KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
      KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
      KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://127.0.0.1:${port}`,
      KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
      KAFKA_NUM_PARTITIONS: '3',
      KAFKA_AUTO_CREATE_TOPICS_ENABLE: 'false',
      KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_REPLICATION_FACTOR: '1',
      KAFKA_TRANSACTION_STATE_LOG_MIN_ISR: '1',
      KAFKA_GROUP_INITIAL_REBALANCE_DELAY_MS: '0',
      KAFKA_LOG_DIRS: '/var/lib/kafka/data',
    }),
  };
}
