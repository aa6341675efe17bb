import { KafkaClient, KafkaModule } from '@core-infra/kafka';
import { bootInfra, eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { collect } from './fixtures/collecting.js';

jest.setTimeout(120_000);

describe('a compacted topic', () => {
  const server = useKafkaServer({ properties: { 'log.cleaner.backoff.ms': '200' } });
  const boot = async (options = {}) => {
    const app = await bootInfra(KafkaModule.forRoot({ brokers: server.brokers, startup: 'require', ...options }));
    return { client: app.get(KafkaClient), [Symbol.asyncDispose]: () => app.close() };
  };

  it('is read to its end, over batches of which nothing is left, with and without a group', async () => {
    const topic = uniqueName('compacted');
    // Less than a batch: what comes after an empty one is cut off.
    await using reader = await boot({ consumer: { fetchMaxBytesPerPartition: 1_024, fetchMaxWaitMs: 50 } });
    const { admin } = reader.client;
    const config = {
      'cleanup.policy': 'compact',
      'min.cleanable.dirty.ratio': '0.01',
      'segment.ms': '100',
      'delete.retention.ms': '0',
    };
    await admin.ensureTopics([{ topic, partitions: 1, config }]);
    const write = async (key: string, value: string) => {
      // Of each producer the broker keeps the last batch, be it empty.
      await using writer = await boot();
      await writer.client.producer.send({ topic, key, value });
    };
    for (let at = 0; at < 3; at += 1) await write('replaced', `old ${at}`);
    await write('large', 'x'.repeat(5_000));
    await write('replaced', 'new');
    const valuesOf = async (from: bigint, to: bigint) => {
      const values: string[] = [];
      for await (const messages of reader.client.reader.read(topic, 0, { from, to }))
        values.push(...messages.map(({ value }) => String(value).slice(0, 3)));
      return values;
    };
    let end = 0n;
    await eventually(
      async () => {
        await write('more', 'y'); // segments are closed by what comes after them
        end = (await reader.client.reader.bounds(topic))[0]!.end;
        expect((await valuesOf(0n, end)).filter(value => value.startsWith('old'))).toEqual([]);
      },
      { timeoutMs: 60_000, intervalMs: 200 },
    );
    const kept = (values: readonly string[]) => values.filter(value => value !== 'y');
    expect(kept(await valuesOf(0n, end))).toEqual(['xxx', 'new']);
    expect(await valuesOf(0n, 3n)).toEqual([]);
    const { seen } = collect(reader.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen.at(-1)?.offset).toBe(end - 1n), { timeoutMs: 20_000 });
    expect(kept(seen.map(({ value }) => String(value).slice(0, 3)))).toEqual(['xxx', 'new']);
  });
});
