import type { ConcernImport } from '@core-infra/core';
import { type EventDefinition, type MessagingDriverName, MessagingModule } from '@core-infra/messaging';

/** Each broker with the variables that its address may be in, and the module that connects to it. */
const brokers: readonly {
  readonly driver: MessagingDriverName;
  readonly variables: readonly string[];
  readonly connection: () => ConcernImport;
}[] = [
  {
    driver: 'kafka',
    variables: ['KAFKA_BROKERS', 'KAFKA_BOOTSTRAP_SERVERS'],
    connection: () => import('@core-infra/kafka').then(({ KafkaModule }) => KafkaModule.forRootAsync()),
  },
  {
    driver: 'rabbitmq',
    variables: ['RABBITMQ_URL'],
    connection: () => import('@core-infra/rabbitmq').then(({ RabbitmqModule }) => RabbitmqModule.forRootAsync()),
  },
  {
    driver: 'nats',
    variables: ['NATS_URL'],
    connection: () => import('@core-infra/nats').then(({ NatsModule }) => NatsModule.forRootAsync()),
  },
];

/**
 * What the apps reach each other by: the broker whose address is in the environment, or else the database, which they have in any case.
 * `MESSAGING_DRIVER` has the last word. Only what is used is loaded.
 * @param events what the app publishes: what it handles is known by its handlers
 */
export function messagingConcerns(
  events: readonly EventDefinition[],
  env: NodeJS.ProcessEnv = process.env,
): ConcernImport[] {
  const wanted = env.MESSAGING_DRIVER;
  const broker = brokers.find(({ driver, variables }) =>
    wanted ? driver === wanted : variables.some(variable => env[variable]),
  );
  const driver = (wanted || broker?.driver || 'postgres') as MessagingDriverName;
  // A boot does not wait for a broker that is away, as the outbox keeps what is for it; but without the database there is nothing to boot for.
  return [
    ...(broker ? [broker.connection()] : []),
    MessagingModule.forRoot({ driver, events, startup: driver === 'postgres' ? 'require' : 'background' }),
  ];
}
