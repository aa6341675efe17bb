import {
  type KafkaBatch,
  KafkaClient,
  KafkaModule,
  type KafkaPartition,
  type KafkaRevocation,
} from '@core-infra/kafka';
import { bootInfra, eventually, uniqueName, useKafka } from '@core-infra/testing';
import { Kafka, logLevel } from 'kafkajs';
import { setTimeout as sleep } from 'node:timers/promises';
import { collect, committed } from '../fixtures/collecting.js';

jest.setTimeout(90_000);

const last = ({ messages }: KafkaBatch) => messages.at(-1)!.offset + 1n;

describe('two members of a group', () => {
  const kafka = useKafka();
  const boot = async (consumer = {}) => {
    const app = await bootInfra(
      KafkaModule.forRoot({
        brokers: kafka.brokers,
        startup: 'require',
        consumer: { heartbeatIntervalMs: 200, fetchMaxWaitMs: 50, ...consumer },
      }),
    );
    return { client: app.get(KafkaClient), close: () => app.close(), [Symbol.asyncDispose]: () => app.close() };
  };
  const prepare = async (client: KafkaClient, partitions: number) => {
    const topic = uniqueName('jobs');
    await client.admin.ensureTopics([{ topic, partitions }]);
    return { topic, group: uniqueName('workers') };
  };

  it('share the partitions; work is ended and committed before a partition is another’s', async () => {
    await using one = await boot();
    await using two = await boot();
    const { topic, group } = await prepare(one.client, 4);
    const working = new Map<string, { resolve(): void; done: Promise<void> }>();
    const order: string[] = [];
    const kept: KafkaPartition[] = [];
    const first = collect(one.client, group, [topic], {
      assigned: partitions => void kept.push(...partitions),
      records: batch => {
        const { promise: done, resolve } = Promise.withResolvers<void>();
        working.set(String(batch.partition.partition), { resolve, done });
        void done.then(() => batch.partition.commit(last(batch))).catch(() => undefined);
      },
      revoked: async (partitions, { lost, signal }) => {
        order.push(`revoked ${partitions.length} ${lost} ${signal.aborted}`);
        await Promise.all([...working.values()].map(({ done }) => done));
        order.push('ended');
      },
    });
    await first.member.joined;
    for (const partition of [0, 1, 2, 3])
      await one.client.producer.send({ topic, partition, value: `job ${partition}` });
    await eventually(() => expect(working.size).toBe(4));
    const second = collect(two.client, group, [topic], { assigned: own => void order.push(`taken ${own.length}`) });
    await eventually(() => expect(order).toEqual(['revoked 4 false false']));
    // The work goes on for longer than a few signs of life, and the other waits.
    await sleep(1_000);
    expect(order).toHaveLength(1);
    for (const { resolve } of working.values()) resolve();
    await eventually(() => expect(first.member.partitions).toHaveLength(2));
    await eventually(() => expect(second.member.partitions).toHaveLength(2));
    expect(order.slice(0, 2)).toEqual(['revoked 4 false false', 'ended']);
    expect(order.at(-1)).toBe('taken 2');
    // What was in hand was committed, so nobody sees it again.
    expect(await committed(one.client, group, topic)).toEqual([1n, 1n, 1n, 1n]);
    expect(second.seen).toEqual([]);
    // The partitions of before are nobody's to commit for.
    expect(kept.slice(0, 4).every(({ signal }) => signal.aborted)).toBe(true);
    await expect(kept[0]!.commit(0n)).rejects.toMatchObject({ code: 'INFRA_KAFKA_REVOKED' });
    expect(await committed(one.client, group, topic)).toEqual([1n, 1n, 1n, 1n]);
  });

  it('do not wait for work that does not end: it is told to, and what it commits then is refused', async () => {
    await using one = await boot({ rebalanceTimeoutMs: 2_000 });
    await using two = await boot();
    const { topic, group } = await prepare(one.client, 2);
    await one.client.producer.send({ topic, partition: 0, value: 'stuck' });
    let revocation: KafkaRevocation | undefined;
    let held: KafkaBatch | undefined;
    const first = collect(one.client, group, [topic], {
      records: batch => void (held ??= batch),
      revoked: (_partitions, given) => {
        revocation = given;
        return new Promise(() => undefined);
      },
    });
    await eventually(() => expect(held).toBeDefined());
    const second = collect(two.client, group, [topic]);
    await eventually(() => expect(second.member.partitions).toHaveLength(1));
    expect(revocation?.signal.aborted).toBe(true);
    await expect(held!.partition.commit(last(held!))).rejects.toMatchObject({ code: 'INFRA_KAFKA_REVOKED' });
    const everybody = () => [...first.member.partitions, ...second.member.partitions].map(({ partition }) => partition);
    await eventually(() => expect(everybody().toSorted((a, b) => a - b)).toEqual([0, 1]));
  });

  it('lose nothing and see no record of a key out of order when one comes and goes under load', async () => {
    await using one = await boot();
    const { topic, group } = await prepare(one.client, 6);
    const total = 3_000;
    const seen: { key: string; n: number; member: string }[] = [];
    const join = (client: KafkaClient, name: string) =>
      collect(client, group, [topic], {
        records: batch => {
          for (const { key, value } of batch.messages) seen.push({ key: String(key), n: Number(value), member: name });
          void batch.partition.commit(last(batch)).catch(() => undefined);
        },
      });
    const first = join(one.client, 'one');
    await first.member.joined;
    const produced = (async () => {
      for (let n = 0; n < total; n += 20) {
        const records = Array.from({ length: 20 }, (_, i) => ({
          topic,
          key: `key-${(n + i) % 30}`,
          value: String(n + i),
        }));
        const outcomes = await one.client.producer.sendBatch(records);
        expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([]);
        await sleep(10);
      }
    })();
    for (let round = 0; round < 3; round += 1) {
      await using two = await boot();
      const second = join(two.client, 'two');
      await eventually(() => expect(second.member.partitions).toHaveLength(3));
      await eventually(() => expect(seen.at(-1)).toBeDefined());
      await second.member.close();
    }
    await produced;
    await eventually(() => expect(new Set(seen.map(({ n }) => n)).size).toBe(total));
    for (let k = 0; k < 30; k += 1) {
      const own = seen.filter(({ key }) => key === `key-${k}`).map(({ n }) => n);
      const once = own.filter((n, index) => own.indexOf(n) === index);
      expect(once).toEqual(once.toSorted((a, b) => a - b));
      // What was taken over was committed before the partition was given up.
      expect(own).toHaveLength(once.length);
    }
  });

  it('are told when the group has done without them', async () => {
    await using up = await boot({ sessionTimeoutMs: 6_000 });
    const { topic, group } = await prepare(up.client, 1);
    const told: boolean[] = [];
    const { member } = collect(up.client, group, [topic], { revoked: (_own, { lost }) => void told.push(lost) });
    await member.joined;
    const [mine] = member.partitions;
    const admin = new Kafka({ brokers: kafka.brokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const { groups } = await admin.describeGroups([group]);
    const memberId = groups[0]!.members[0]!.memberId;
    await admin.disconnect();
    await evict(kafka.brokers, group, memberId);
    await eventually(() => expect(told).toEqual([true]));
    await expect(mine!.commit(0n)).rejects.toMatchObject({ code: 'INFRA_KAFKA_REVOKED' });
    await eventually(() => expect(member.partitions).toHaveLength(1));
  });

  it('may read different topics: each partition goes to one that reads its topic', async () => {
    await using one = await boot();
    await using two = await boot();
    const { topic: shared, group } = await prepare(one.client, 2);
    const [left, right] = [uniqueName('left'), uniqueName('right')];
    await one.client.admin.ensureTopics([
      { topic: left, partitions: 2 },
      { topic: right, partitions: 3 },
    ]);
    const first = collect(one.client, group, [shared, left]);
    const second = collect(two.client, group, [shared, right]);
    const of = ({ partitions }: { partitions: readonly KafkaPartition[] }) =>
      partitions.map(({ topic, partition }) => `${topic}/${partition}`);
    await eventually(() => {
      expect(of(first.member)).toEqual(expect.arrayContaining([`${left}/0`, `${left}/1`]));
      expect(of(second.member)).toEqual(expect.arrayContaining([0, 1, 2].map(partition => `${right}/${partition}`)));
      const both = [...of(first.member), ...of(second.member)].filter(name => name.startsWith(shared));
      expect(both.toSorted()).toEqual([`${shared}/0`, `${shared}/1`]);
    });
    expect([...of(first.member)].some(name => name.startsWith(right))).toBe(false);
  });

  it('leave at the shutdown, after what they have in hand', async () => {
    const up = await boot();
    await using other = await boot();
    const { topic, group } = await prepare(other.client, 1);
    await other.client.producer.send({ topic, value: 'in hand' });
    let batch: KafkaBatch | undefined;
    collect(up.client, group, [topic], {
      records: taken => void (batch = taken),
      revoked: async () => {
        await sleep(300);
        await batch!.partition.commit(last(batch!));
      },
    });
    await eventually(() => expect(batch).toBeDefined());
    await up.close();
    expect(await committed(other.client, group, topic)).toEqual([1n]);
    expect(() => collect(up.client, group, [topic])).toThrow(expect.objectContaining({ code: 'INFRA_KAFKA_CLOSED' }));
  });
});

/** Strikes a member off its group's list, as the broker does with one that was silent for too long. */
async function evict(brokers: string[], groupId: string, memberId: string): Promise<void> {
  let found!: { findGroupCoordinator(group: object): Promise<{ leaveGroup(request: object): Promise<unknown> }> };
  const consumer = new Kafka({ brokers, logLevel: logLevel.NOTHING }).consumer({
    groupId,
    partitionAssigners: [
      ({ cluster }) => {
        found = cluster as never;
        return {
          name: 'none',
          version: 0,
          assign: () => Promise.resolve([]),
          protocol: () => ({ name: 'none', metadata: Buffer.alloc(0) }),
        };
      },
    ],
  });
  await consumer.connect();
  await (await found.findGroupCoordinator({ groupId })).leaveGroup({ groupId, memberId });
  await consumer.disconnect();
}
