import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, failure, uniqueName, useRabbitmq } from '@core-infra/testing';
import { EventBus } from '../../src/index.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';
import { handlerOf, type Step, stepsOf } from './fixtures/steps.js';

jest.setTimeout(60_000);

const server = useRabbitmq();

describe('direct exchanges', () => {
  it('carry events in the order of their keys, and what others publish with the topic alone; who wants a topic exchange is told', async () => {
    const steps = stepsOf(uniqueName('steps'));
    const exchange = uniqueName('direct');
    const handled: Step[] = [];
    const rabbitmq = { exchange, exchangeType: 'direct' } as const;
    const group = uniqueName('worker');
    await using app = await bootRabbitmq(server.url, { group, rabbitmq }, [
      handlerOf(steps, step => handled.push(step)),
    ]);
    const client = app.get(RabbitmqClient);
    // It is there with this type, or the broker would refuse it.
    await client.topology({
      exchanges: [
        { name: exchange, type: 'direct' },
        { name: `${exchange}.tasks`, type: 'direct' },
      ],
    });
    const keys = ['a', 'b', 'c', 'd'];
    const all = [0, 1, 2].flatMap(at => keys.map(key => ({ key, at })));
    await app.get(EventBus).publishBatch(all.map(step => steps.of(step, { key: step.key })));
    await eventually(() => expect(handled).toHaveLength(all.length));
    for (const key of keys) expect(handled.filter(step => step.key === key).map(({ at }) => at)).toEqual([0, 1, 2]);
    await client.publish({
      exchange,
      routingKey: steps.type,
      content: JSON.stringify({ key: 'e', at: 7 }),
      contentType: 'application/json',
      headers: {
        cloudEvents_specversion: '1.0',
        cloudEvents_id: uniqueName('id'),
        cloudEvents_source: '/other',
        cloudEvents_type: steps.type,
      },
    });
    await eventually(() => expect(handled.at(-1)).toMatchObject({ key: 'e', at: 7 }));
    const error = await failure(bootRabbitmq(server.url, { group, rabbitmq: { exchange } }));
    expect(error).toMatchObject({ cause: { code: 'INFRA_RABBITMQ_TOPOLOGY', argument: 'type', existing: 'direct' } });
  });
});
