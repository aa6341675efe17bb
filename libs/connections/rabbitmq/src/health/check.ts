import type { CheckResult } from '@core-infra/kernel';
import type { ChannelModel } from 'amqplib';
import type { AmqplibClient } from '../drivers/amqplib.client.js';
import { replyCode } from '../link/diagnose.js';
import type { Link } from '../link/link.js';

const PRECONDITION_FAILED = 406;
/** Exchanges of which a connection has shown that it may publish to them. */
const proven = new WeakMap<ChannelModel, Set<string>>();

/** Reachable and logged in, exchanges and queues there, messages taken; an alarm, and more messages than allowed, are degraded. */
export async function checkRabbitmq(link: Link, client: AmqplibClient): Promise<CheckResult> {
  const { config } = link;
  const { publisher } = client;
  const depths = await depthsOf(link, client);
  const exchanges = [...new Set([config.exchange, ...config.health.exchanges, ...publisher.exchanges.keys()])];
  const idle = [...client.consumers].filter(({ isActive }) => !isActive).map(({ queue }) => queue);
  const result: CheckResult = {
    version: link.current.connection.serverProperties.version,
    vhost: config.vhost,
    ...(Object.keys(depths).length > 0 && { depths }),
    publisher: { pending: publisher.pending, exchanges: exchanges.filter(name => name !== '') },
    // A consumer that was paused on purpose looks the same, and whoever paused it knows.
    ...(idle.length > 0 && { idleConsumers: idle }),
  };
  if (link.blocked !== undefined) return { ...result, degraded: link.blockedBy() };
  // A channel that confirms, beside that of the publisher: the broker answers to those who publish.
  await link.withConfirmChannel('take messages', async () => undefined);
  for (const exchange of exchanges) await checkExchange(link, exchange, publisher.exchanges);
  const { maxDepth } = config.health;
  const [deep] = Object.entries(depths).filter(([, messages]) => maxDepth !== undefined && messages > maxDepth);
  if (deep)
    return { ...result, degraded: `${deep[0]} has ${deep[1]} messages, more than health.maxDepth (${maxDepth})` };
  return publisher.isOpen ? result : { ...result, degraded: 'the channel of the publisher is being opened' };
}

async function depthsOf(link: Link, client: AmqplibClient): Promise<Record<string, number>> {
  const named = link.config.health.queues.map(name => client.queueName(name));
  const queues = [...new Set([...named, ...[...client.consumers].map(({ queue }) => queue)])];
  if (queues.length === 0) return {};
  // One channel for all of them: there may be hundreds.
  const counts = await link.withChannel('look at queues', channel =>
    Promise.all(queues.map(async queue => (await channel.checkQueue(queue)).messageCount)),
  );
  return Object.fromEntries(queues.map((queue, at) => [queue, counts[at]!]));
}

/** @throws RabbitmqMissingError, RabbitmqPermissionError */
async function checkExchange(
  link: Link,
  exchange: string,
  published: ReadonlyMap<string, Error | undefined>,
): Promise<void> {
  const failure = published.get(exchange);
  if (exchange !== '') await link.withChannel(`look at ${exchange}`, channel => channel.checkExchange(exchange));
  else if (failure) throw failure;
  if (exchange === '' || (published.has(exchange) && !failure)) return;
  const model = link.current;
  let known = proven.get(model);
  if (!known) proven.set(model, (known = new Set()));
  if (failure || !known.has(exchange)) await prove(link, exchange);
  known.add(exchange);
}

/**
 * A message that the broker takes from nobody, as its expiration is no number: it says so once it has found the exchange, and that the user may write
 * to it. So nothing is written to anybody's queue. The broker logs it; it is done once for each connection and exchange.
 */
async function prove(link: Link, exchange: string): Promise<void> {
  await link.withConfirmChannel(`publish to ${exchange}`, async channel => {
    const refused = new Promise<Error>(resolve => channel.once('error', resolve));
    channel.publish(exchange, 'core-infra.health', Buffer.alloc(0), { expiration: 'none' });
    const confirmed = channel.waitForConfirms().then(
      () => undefined,
      () => refused,
    );
    const error = await Promise.race([refused, confirmed]);
    if (error && replyCode(error) !== PRECONDITION_FAILED) throw error;
  });
}
