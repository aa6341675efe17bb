import { uniqueName, useKafka, useNats, useRabbitmq } from '@core-infra/testing';

/** How a broker is told to the apps; its server is there for the block that calls `use`. */
export interface Broker {
  readonly use: () => () => Record<string, string>;
  /** Keeps what a block does apart from others on the same server. */
  readonly apart: () => Record<string, string>;
}

/** Topics are named after types. */
function topics(): Record<string, string> {
  const types = ['orders.placed', 'orders.paid', 'orders.rejected', 'orders.cancelled', 'stock.changed'];
  const prefix = uniqueName('shop');
  return {
    MESSAGING_TOPICS: JSON.stringify(Object.fromEntries(types.map(type => [type, { topic: `${prefix}.${type}` }]))),
  };
}

export const brokers: Readonly<Record<string, Broker>> = {
  'PostgreSQL alone': { use: () => () => ({}), apart: () => ({}) },
  Kafka: {
    use: () => {
      const kafka = useKafka();
      return () => ({ KAFKA_BROKERS: kafka.brokers.join(',') });
    },
    apart: topics,
  },
  RabbitMQ: {
    use: () => {
      const rabbitmq = useRabbitmq();
      return () => ({ RABBITMQ_URL: rabbitmq.url });
    },
    apart: () => {
      const name = uniqueName('shop');
      return { RABBITMQ_EXCHANGE: name, RABBITMQ_QUEUE_PREFIX: `${name}.` };
    },
  },
  NATS: {
    use: () => {
      const nats = useNats();
      return () => ({ NATS_URL: nats.url });
    },
    apart: topics,
  },
};

/** What every process gets; the provider is quick, and lets a third of the calls fail. */
export const environment = (dsn: string): Record<string, string | undefined> => ({
  POSTGRES_DSN: dsn,
  MESSAGING_DRIVER: undefined,
  PAYMENTS_FAKE_ENABLED: 'true',
  PAYMENTS_FAKE_FAILING: '0.3',
  PAYMENTS_FAKE_DELAY_MS: '20',
  MESSAGING_RETRY_FIRST_DELAY_MS: '20',
});
