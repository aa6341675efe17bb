import { KafkaClient, KafkaModule, type KafkaOptions } from '@core-infra/kafka';
import { bootInfra, bootLogged, eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect } from '../fixtures/collecting.js';

jest.setTimeout(120_000);

describe('a broker that goes and comes back', () => {
  const server = useKafkaServer();
  const boot = async (options: KafkaOptions = {}) => {
    const up = await bootLogged(
      KafkaModule.forRoot({
        brokers: server.brokers,
        startup: 'require',
        requestTimeoutMs: 1_000,
        deliveryTimeoutMs: 60_000,
        consumer: { heartbeatIntervalMs: 200, fetchMaxWaitMs: 50 },
        retry: { maxDelayMs: 500 },
        ...options,
      }),
    );
    return { ...up, client: up.app.get(KafkaClient), [Symbol.asyncDispose]: () => up.app.close() };
  };

  it('loses nothing that was sent before, during and after, in order; readers go on by themselves', async () => {
    await using up = await boot();
    const topic = uniqueName('orders');
    await up.client.admin.ensureTopics([{ topic, partitions: 2 }]);
    const group = uniqueName('readers');
    const { seen, member } = collect(up.client, group, [topic]);
    await member.joined;
    const sent: Promise<unknown>[] = [];
    const outcomes = () => Promise.allSettled(sent);
    let n = 0;
    const send = async (count: number) => {
      for (const until = n + count; n < until; n += 1) {
        sent.push(up.client.producer.send({ topic, key: `key-${n % 4}`, value: String(n) }));
        await sleep(2);
      }
    };
    await send(200);
    await server.kill('SIGKILL');
    await send(200);
    await server.start();
    await send(200);
    expect((await outcomes()).filter(({ status }) => status === 'rejected')).toEqual([]);
    await eventually(() => expect(new Set(seen.map(({ value }) => Number(value))).size).toBe(600), {
      timeoutMs: 30_000,
    });
    for (let key = 0; key < 4; key += 1) {
      const own = seen.filter(message => String(message.key) === `key-${key}`);
      const byOffset = own
        .toSorted((one, other) => Number(one.offset - other.offset))
        .map(({ value }) => Number(value));
      const inLog = byOffset.filter((value, index) => value !== byOffset[index - 1]);
      expect(inLog).toEqual(inLog.toSorted((one, other) => one - other));
      // Each is in the log once, though some were sent again: the broker recognises them.
      expect(new Set(own.map(({ offset }) => offset)).size).toBe(new Set(own.map(({ value }) => String(value))).size);
    }
    expect(up.logger.records.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('hangs: what is sent is given up in time, saying that it may have arrived, and goes through when it is back', async () => {
    await using up = await boot();
    const topic = uniqueName('orders');
    await up.client.admin.ensureTopics([{ topic, partitions: 1 }]);
    await up.client.producer.send({ topic, value: 'before' });
    await server.kill('SIGSTOP');
    try {
      await expect(up.client.producer.send({ topic, value: 'during' }, { timeoutMs: 1_500 })).rejects.toMatchObject({
        code: 'INFRA_KAFKA_DELIVERY_TIMEOUT',
        mayHaveArrived: true,
        retryable: true,
      });
    } finally {
      await server.kill('SIGCONT');
    }
    expect(await up.client.producer.send({ topic, value: 'after' })).toMatchObject({ topic, partition: 0 });
    const { seen } = collect(up.client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen.map(({ value }) => String(value))).toContain('after'));
    expect(seen.map(({ value }) => String(value))).toEqual(expect.arrayContaining(['before', 'after']));
  });
});

describe('a broker that hangs while the app ends', () => {
  const server = useKafkaServer();

  it('does not keep it: what is not acknowledged is given up within the budget', async () => {
    const app = await bootInfra(
      KafkaModule.forRoot({ brokers: server.brokers, startup: 'require', shutdownTimeoutMs: 2_000 }),
    );
    const client = app.get(KafkaClient);
    const topic = uniqueName('orders');
    await client.admin.ensureTopics([{ topic, partitions: 1 }]);
    await client.producer.send({ topic, value: 'before' });
    await server.kill('SIGSTOP');
    try {
      const given = client.producer.send({ topic, value: 'during' }, { timeoutMs: 600_000 });
      const outcome = expect(given).rejects.toMatchObject({ code: 'INFRA_KAFKA_CLOSED' });
      await client.producer.flush(AbortSignal.timeout(100));
      await app.close();
      await outcome;
    } finally {
      await server.kill('SIGCONT');
    }
  });
});

describe('answers that are lost', () => {
  const server = useKafkaServer();

  it('do not let another batch of the same length be taken for the one before', async () => {
    const topic = uniqueName('orders');
    {
      await using patient = await bootInfra(KafkaModule.forRoot({ brokers: server.brokers, startup: 'require' }));
      await patient.get(KafkaClient).admin.ensureTopics([{ topic, partitions: 1 }]);
    }
    await using app = await bootInfra(
      KafkaModule.forRoot({
        brokers: server.brokers,
        startup: 'require',
        requestTimeoutMs: 500,
        retry: { maxDelayMs: 100 },
      }),
    );
    const client = app.get(KafkaClient);
    const values: string[] = [];
    for (let round = 0; round < 3; round += 1) {
      const confirmed = `confirmed ${round}`;
      await client.producer.send({ topic, value: confirmed });
      values.push(confirmed);
      await server.kill('SIGSTOP');
      const give = () =>
        client.producer.send({ topic, value: `given up ${round}` }, { timeoutMs: 300 }).then(
          () => undefined,
          (error: unknown) => error,
        );
      // A process that is told to stop may answer once more.
      expect((await give()) ?? (await give())).toMatchObject({ code: 'INFRA_KAFKA_DELIVERY_TIMEOUT' });
      const next = client.producer.send({ topic, value: `next ${round}` });
      // Until the driver has given the first one up as well, twice.
      await sleep(1_800);
      await server.kill('SIGCONT');
      await next;
      values.push(`next ${round}`);
    }
    const { seen } = collect(client, uniqueName('readers'), [topic]);
    await eventually(() => expect(seen.map(({ value }) => String(value))).toEqual(expect.arrayContaining(values)));
  });
});

describe('a bad address', () => {
  it('is told within seconds', async () => {
    const began = performance.now();
    const boot = bootInfra(
      KafkaModule.forRoot({ brokers: ['127.0.0.1:1'], startup: 'require', connectTimeoutMs: 2_000 }),
    );
    await expect(boot).rejects.toThrow(/Kafka at 127\.0\.0\.1:1 cannot be reached: .*ECONNREFUSED.*KAFKA_BROKERS/);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('is told once in the log when the boot does not wait, and the health check says it', async () => {
    await using up = await bootLogged(KafkaModule.forRoot({ brokers: ['127.0.0.1:1'] }));
    await eventually(() => expect(up.logger.matching(/not reachable yet.*ECONNREFUSED/)).toHaveLength(1));
    expect(up.logger.records.filter(({ level }) => level === 'error')).toEqual([]);
  });
});

describe('a boot before the broker', () => {
  const server = useKafkaServer();

  it('sends and reads when the broker has come', async () => {
    await server.stop();
    await using app = await bootInfra(
      KafkaModule.forRoot({ brokers: server.brokers, retry: { maxDelayMs: 300 }, consumer: { fetchMaxWaitMs: 50 } }),
    );
    const client = app.get(KafkaClient);
    const topic = uniqueName('late');
    const { seen, member } = collect(client, uniqueName('readers'), [topic]);
    await eventually(() => expect(member.failure).toMatchObject({ code: 'INFRA_KAFKA_UNREACHABLE' }));
    const sent = client.producer.send({ topic, value: 'early' }, { timeoutMs: 60_000 });
    sent.catch(() => undefined);
    await server.start();
    await eventually(() => client.admin.ensureTopics([{ topic, partitions: 1 }]));
    await client.producer.send({ topic, value: 'later' });
    await eventually(() => expect(seen.map(({ value }) => String(value))).toContain('later'), { timeoutMs: 30_000 });
    await Promise.allSettled([sent]);
  });
});
