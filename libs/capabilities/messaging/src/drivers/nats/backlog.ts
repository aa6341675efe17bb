import type { NatsClient } from '@core-infra/nats';
import type { ConsumeRequest, TopicBacklog } from '../../driver/message-driver.js';
import type { Streams } from './streams.js';

/** What waits for a group, and what its members have in hand, by what the server counts. */
export async function backlogOf(
  client: NatsClient,
  streams: Streams,
  { group, topics, queues }: ConsumeRequest,
): Promise<readonly TopicBacklog[]> {
  const { names } = streams;
  const manager = await client.jetstreamManager();
  return Promise.all(
    topics.map(async topic => {
      const sources = Array.from({ length: streams.partitionsOf(topic) }, (_, number) =>
        names.source(group, topic, number, queues.includes(topic)),
      );
      const counts = await Promise.all(
        [...sources, names.againSource(group, topic)].map(async ({ stream, consumer }) => {
          const { num_pending: waiting, num_ack_pending: unsettled } = await manager.consumers.info(stream, consumer);
          return waiting + unsettled;
        }),
      );
      return { topic, messages: counts.reduce((sum, count) => sum + count, 0) };
    }),
  );
}
