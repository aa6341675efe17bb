import { useKafka, useKafkaServer, useNats, useNatsServer, useRabbitmq, useRabbitmqServer } from '@core-infra/testing';
import { isLong } from './size.js';

/** A broker that a `describe` has to itself; `undefined` where the database is the broker. */
export interface OwnBroker {
  /** What the shop's processes find it by. */
  readonly env: Record<string, string>;
  /** Where it listens, as a URL. */
  readonly address: string;
  kill(signal: 'SIGKILL'): Promise<void>;
  stop(): Promise<void>;
  start(): Promise<void>;
  /** Resolves when what was declared survives a kill. */
  settled?(): Promise<void>;
}

export interface Broker {
  readonly name: 'postgres' | 'kafka' | 'rabbitmq' | 'nats';
  /** The one that all specs share, to be called in a `describe`: what the shop's processes find it by. */
  shared(): () => Record<string, string>;
  /**
   * One for this `describe` alone.
   * @param via where clients are sent instead of to the broker itself, asked for when it starts: `host:port`
   */
  own(via?: () => string): OwnBroker | undefined;
}

const kafkaEnv = (brokers: string): Record<string, string> => ({
  KAFKA_BROKERS: brokers,
  // A member that was killed is missed after six seconds, not after thirty.
  KAFKA_CONSUMER_SESSION_TIMEOUT_MS: '6000',
});

const through = (url: string, via?: () => string): string => {
  const there = new URL(url);
  if (via) there.host = via();
  return there.href;
};

const all: readonly Broker[] = [
  { name: 'postgres', shared: () => () => ({}), own: () => undefined },
  {
    name: 'kafka',
    shared: () => {
      const server = useKafka();
      return () => kafkaEnv(server.brokers.join(','));
    },
    own: via => {
      // Kafka's clients go where it tells them to, so it is the broker that has to name the detour.
      const server = useKafkaServer(
        via && {
          get properties() {
            return { 'advertised.listeners': `CLIENT://${via()}` };
          },
        },
      );
      return {
        get env() {
          return kafkaEnv(via?.() ?? server.brokers.join(','));
        },
        get address() {
          return `tcp://${server.host}:${server.port}`;
        },
        kill: signal => server.kill(signal),
        stop: () => server.stop(),
        start: () => server.start(),
      };
    },
  },
  {
    name: 'rabbitmq',
    shared: () => {
      const server = useRabbitmq();
      return () => ({ RABBITMQ_URL: server.url });
    },
    own: via => {
      const server = useRabbitmqServer();
      return {
        get env() {
          return { RABBITMQ_URL: through(server.url, via), RABBITMQ_STARTUP: 'background' };
        },
        get address() {
          return server.url;
        },
        kill: signal => server.kill(signal),
        stop: () => server.stop(),
        start: () => server.start(),
        settled: () => server.settled(),
      };
    },
  },
  {
    name: 'nats',
    shared: () => {
      const server = useNats();
      return () => ({ NATS_URL: server.url });
    },
    own: via => {
      const server = useNatsServer();
      return {
        get env() {
          return { NATS_URL: through(server.url, via), NATS_STARTUP: 'background' };
        },
        get address() {
          return server.url;
        },
        kill: signal => server.kill(signal),
        stop: () => server.stop(),
        start: () => server.start(),
      };
    },
  },
];

const only = process.env.CHAOS_BROKERS?.split(',');

export interface Choice {
  /** Brokers that it makes sense for. @default all */
  readonly names?: readonly Broker['name'][];
  /** Those of them that are enough where a run has neither asked for brokers nor for more injections. @default all of them */
  readonly usually?: readonly Broker['name'][];
}

/** Those that this run is about: `npm run chaos -- --brokers kafka,nats`. */
export function chosenBrokers({ names, usually }: Choice = {}): readonly Broker[] {
  const meant = only ?? (isLong ? undefined : usually);
  return all.filter(({ name }) => (!names || names.includes(name)) && (!meant || meant.includes(name)));
}

/** A `describe` for each broker; skipped where this run is about others. */
export function forBrokers(body: (broker: Broker) => void, choice: Choice = {}): void {
  const chosen = chosenBrokers(choice);
  for (const broker of all.filter(({ name }) => !choice.names || choice.names.includes(name)))
    (chosen.includes(broker) ? describe : describe.skip)(broker.name, () => body(broker));
}
