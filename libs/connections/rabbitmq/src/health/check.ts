import type { CheckResult } from '@core-infra/kernel';
import { randomUUID } from 'node:crypto';
import type { AmqplibClient } from '../drivers/amqplib.client.js';
import type { Link } from '../link/link.js';

/** Reachable and logged in, the queues there, messages confirmed; an alarm, and more messages than allowed, are degraded. */
export async function checkRabbitmq(link: Link, client: AmqplibClient): Promise<CheckResult> {
  const { config } = link;
  const { serverProperties } = link.current.connection;
  const queues = new Set([
    ...config.health.queues.map(name => client.queueName(name)),
    ...[...client.consumers].map(({ queue }) => queue),
  ]);
  const depths: Record<string, number> = {};
  for (const queue of queues)
    depths[queue] = await link.withChannel(
      `look at ${queue}`,
      async channel => (await channel.checkQueue(queue)).messageCount,
    );
  const idle = [...client.consumers].filter(({ isActive }) => !isActive).map(({ queue }) => queue);
  const result: CheckResult = {
    version: serverProperties.version,
    ...(queues.size > 0 && { depths }),
    pending: client.publisher.pending,
  };
  if (link.blocked !== undefined) return { ...result, degraded: `${link.blockedBy()}` };
  await confirms(link);
  const { maxDepth } = config.health;
  const [deep] = Object.entries(depths).filter(([, messages]) => maxDepth !== undefined && messages > maxDepth);
  if (deep)
    return { ...result, degraded: `${deep[0]} has ${deep[1]} messages, more than health.maxDepth (${maxDepth})` };
  // A consumer that was paused on purpose looks the same, and whoever paused it knows.
  return idle.length > 0 ? { ...result, idleConsumers: idle } : result;
}

/** A message that no queue gets: the broker confirms it all the same, if it accepts any. */
async function confirms(link: Link): Promise<void> {
  await link.withConfirmChannel('confirm a message', async channel => {
    channel.publish('', `core-infra.health.${randomUUID()}`, Buffer.alloc(0));
    await channel.waitForConfirms();
  });
}
