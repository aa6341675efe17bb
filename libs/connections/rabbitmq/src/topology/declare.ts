import type { Channel, Options } from 'amqplib';
import type { DeadLetters, QueueDeclaration, Topology } from './topology.js';

/** Declares all of it in one channel. What exists as it is declared stays untouched; what differs is the broker's error. */
export async function declare(channel: Channel, topology: Topology, prefix: string): Promise<void> {
  const { exchanges = [], queues = [], bindings = [] } = topology;
  // Sent side by side: the broker works them off in their order.
  await Promise.all([
    ...exchanges.map(({ name, type = 'topic', durable = true, internal, autoDelete, alternateExchange, ...rest }) =>
      channel.assertExchange(name, type, {
        durable,
        ...(internal !== undefined && { internal }),
        ...(autoDelete !== undefined && { autoDelete }),
        ...(alternateExchange !== undefined && { alternateExchange }),
        arguments: { ...rest.arguments },
      }),
    ),
    ...queues.map(queue => channel.assertQueue(prefix + queue.name, queueOptions(queue, prefix))),
    ...bindings.map(({ exchange, queue, toExchange, routingKey = '', arguments: args }) =>
      queue === undefined
        ? channel.bindExchange(toExchange ?? '', exchange, routingKey, args)
        : channel.bindQueue(prefix + queue, exchange, routingKey, args),
    ),
  ]);
}

function queueOptions(queue: QueueDeclaration, prefix: string): Options.AssertQueue {
  const { type = queue.exclusive || queue.autoDelete ? 'classic' : 'quorum', durable = true } = queue;
  const values: Record<string, unknown> = {
    'x-queue-type': type,
    'x-delivery-limit': queue.deliveryLimit,
    ...deadLetterArguments(queue.deadLetters, prefix),
    'x-dead-letter-strategy': queue.deadLetterStrategy,
    'x-message-ttl': queue.messageTtlMs,
    'x-expires': queue.expiresMs,
    'x-max-length': queue.maxLength,
    'x-max-length-bytes': queue.maxLengthBytes,
    'x-overflow': queue.overflow,
    'x-single-active-consumer': queue.singleActiveConsumer,
    ...queue.arguments,
  };
  return {
    durable,
    exclusive: queue.exclusive ?? false,
    autoDelete: queue.autoDelete ?? false,
    arguments: Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)),
  };
}

function deadLetterArguments(to: DeadLetters | undefined, prefix: string): Record<string, unknown> {
  if (!to) return {};
  if ('queue' in to) return { 'x-dead-letter-exchange': '', 'x-dead-letter-routing-key': prefix + to.queue };
  return { 'x-dead-letter-exchange': to.exchange, 'x-dead-letter-routing-key': to.routingKey };
}
