import { type PostgresServer, startKafka, startNats, startRabbitmq } from '@core-infra/testing';

/** A broker that a run has to itself. */
export interface OwnBroker extends AsyncDisposable {
  /** What the shop's processes find it by. */
  readonly env: Record<string, string>;
  kill(signal: 'SIGKILL'): Promise<void>;
  start(): Promise<void>;
  /** Resolves when what was declared survives a kill. */
  settled?(): Promise<void>;
}

export interface Broker {
  readonly name: 'postgres' | 'kafka' | 'rabbitmq' | 'nats';
  /** `undefined` when the database is the broker. */
  start(postgres: PostgresServer): Promise<OwnBroker | undefined>;
}

export const brokers: readonly Broker[] = [
  { name: 'postgres', start: () => Promise.resolve(undefined) },
  {
    name: 'kafka',
    start: async () => {
      const server = await startKafka();
      // A member that was killed is missed after six seconds, not after thirty.
      return { ...server, env: { KAFKA_BROKERS: server.brokers.join(','), KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '6000' } };
    },
  },
  {
    name: 'rabbitmq',
    start: async () => {
      const server = await startRabbitmq();
      return { ...server, env: { RABBITMQ_URL: server.url }, settled: () => server.settled() };
    },
  },
  {
    name: 'nats',
    start: async () => {
      const server = await startNats();
      return { ...server, env: { NATS_URL: server.url } };
    },
  },
];
