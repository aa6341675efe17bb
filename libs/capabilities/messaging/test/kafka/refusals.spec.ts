import { Connections } from '@core-infra/kernel';
import { Kafka, KafkaClient, type KafkaOptions } from '@core-infra/kafka';
import { eventually, uniqueName, useKafkaServer } from '@core-infra/testing';
import { logLevel } from 'kafkajs';
import { EventBus, MessagingHub, type MessagingOptions } from '../../src/index.js';
import { Orders } from '../../src/testing/orders.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

/** Within seconds: within 5 on a machine that has nothing else to do. */
const SOON = { timeoutMs: 10_000 };

describe('what is wrong, and what mends it, is told in seconds to publishers, by groups and in health', () => {
  const secret = uniqueName('secret');
  const operations = ['READ', 'WRITE', 'DESCRIBE'];
  const server = useKafkaServer({
    sasl: ['SCRAM-SHA-256'],
    acl: true,
    users: [
      {
        name: 'app',
        password: secret,
        allow: [
          { topic: 'mine*', operations },
          { group: 'mine*', operations },
        ],
      },
    ],
  });
  const as = (password: string): KafkaOptions => ({
    securityProtocol: 'SASL_PLAINTEXT',
    sasl: { mechanism: 'SCRAM-SHA-256', username: 'app', password },
  });
  const create = async (topics: readonly string[]) => {
    const admin = new Kafka({ brokers: server.adminBrokers, logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    await admin.createTopics({ topics: topics.map(topic => ({ topic, numPartitions: 1 })), waitForLeaders: true });
    await admin.disconnect();
  };

  /** An app that publishes and handles events of this type, and what it says of itself. */
  const boot = async (
    type: string,
    options: MessagingOptions,
    { password = secret, brokers = server.brokers }: { password?: string; brokers?: string[] } = {},
  ) => {
    const orders = new Orders(type);
    const seen: number[] = [];
    const controllers = [orders.handler(({ at }) => void seen.push(at))];
    const app = await bootKafka({ brokers, kafka: as(password), options, controllers });
    const [member] = app.get<MessagingHub>(MessagingHub as never, { strict: false }).members;
    return {
      seen,
      client: app.get(KafkaClient),
      publish: (at: number) => app.get(EventBus).publish(orders.placed.of({ id: 'x', at })),
      trouble: () => member!.state.trouble,
      check: async (name: string) =>
        app
          .get(Connections)
          .checks()
          .find(each => each.name === name)!
          .run(),
      [Symbol.asyncDispose]: () => app.close(),
    };
  };
  const expectTold = async (app: Awaited<ReturnType<typeof boot>>, problem: object) => {
    const began = performance.now();
    await expect(app.publish(1)).rejects.toMatchObject(problem);
    await eventually(() => expect(app.trouble()).toMatchObject(problem), SOON);
    await expect(app.check('messaging')).rejects.toMatchObject(problem);
    expect(performance.now() - began).toBeLessThan(SOON.timeoutMs);
  };
  const containing = (text: string) => expect.stringContaining(text) as string;

  it('not where an account may read, write and describe: it needs no more where topics are made by others', async () => {
    const type = uniqueName('mine');
    const group = uniqueName('mine');
    await create(['', `.${group}.retry`, `.${group}.parked`].map(end => `${type}.placed${end}`));
    await using app = await boot(type, { group, kafka: { createTopics: false } });
    await app.publish(1);
    await eventually(() => expect(app.seen).toEqual([1]), { timeoutMs: 30_000 });
    expect(await app.check('messaging')).toMatchObject({ groups: { [group]: { partitions: 2 } } });
  });

  it.each([true, false])(
    'a topic without a right to it, whether the app makes topics or not: %s',
    async createTopics => {
      const type = uniqueName('theirs');
      await create([`${type}.placed`]);
      await using app = await boot(type, { group: uniqueName('mine'), kafka: { createTopics } });
      await expectTold(app, {
        code: 'INFRA_KAFKA_UNAUTHORIZED',
        problem: `The user "app" may not use the topic "${type}.placed".`,
        fix: containing('WRITE or READ, and DESCRIBE'),
      });
    },
  );

  it('a group without a right to it, while the app may publish', async () => {
    const type = uniqueName('mine');
    const group = uniqueName('theirs');
    await create(['', `.${group}.retry`, `.${group}.parked`].map(end => `${type}.placed${end}`));
    await using app = await boot(type, { group, kafka: { createTopics: false } });
    await app.publish(1);
    const problem = {
      code: 'INFRA_KAFKA_UNAUTHORIZED',
      problem: `The user "app" may not use the group "${group}".`,
      fix: containing('Give the account READ on it'),
    };
    await eventually(() => expect(app.trouble()).toMatchObject(problem), SOON);
    await expect(app.check('messaging')).rejects.toMatchObject(problem);
    await expect(app.check('kafka-consumer')).rejects.toMatchObject(problem);
  });

  it('a topic that nobody has made, where the app makes none', async () => {
    const type = uniqueName('mine');
    await using app = await boot(type, { group: uniqueName('mine'), kafka: { createTopics: false } });
    await expectTold(app, {
      code: 'INFRA_MESSAGING_TOPIC_MISSING',
      problem: `The topic "${type}.placed" does not exist.`,
      fix: containing(`kafka-topics.sh --create --topic ${type}.placed`),
    });
  });

  it.each([true, false])('a wrong password, without showing it; the app makes topics: %s', async createTopics => {
    const password = uniqueName('wrong');
    await using app = await boot(
      uniqueName('mine'),
      { group: uniqueName('mine'), kafka: { createTopics } },
      { password },
    );
    const problem = {
      code: 'INFRA_KAFKA_AUTHENTICATION',
      problem: containing('refuses the login by SCRAM-SHA-256: the user or the password is wrong'),
      fix: containing('KAFKA_SASL_PASSWORD'),
    };
    await expectTold(app, problem);
    await expect(app.check('kafka')).rejects.toMatchObject({ code: 'INFRA_NOT_CONNECTED', cause: problem });
    await expect(app.check('kafka-producer')).rejects.toMatchObject({ cause: problem });
    expect(String(app.trouble())).not.toContain(password);
  });

  it.each([true, false])('a wrong address; the app makes topics: %s', async createTopics => {
    const brokers = ['127.0.0.1:1'];
    await using app = await boot(
      uniqueName('mine'),
      { group: uniqueName('mine'), kafka: { createTopics } },
      { brokers },
    );
    const problem = {
      code: 'INFRA_KAFKA_UNREACHABLE',
      problem: containing('Kafka at 127.0.0.1:1 cannot be reached'),
      fix: containing('KAFKA_BROKERS'),
    };
    await expectTold(app, problem);
    await expect(app.check('kafka')).rejects.toMatchObject({ code: 'INFRA_NOT_CONNECTED', cause: problem });
    await expect(app.check('kafka-producer')).rejects.toMatchObject({ cause: problem });
  });
});
