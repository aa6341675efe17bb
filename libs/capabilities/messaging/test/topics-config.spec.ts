import { ConfigError, resolveConfig } from '@core-infra/kernel';
import { MessagingConfig } from '../src/index.js';
import { bootMessaging } from './support/boot-messaging.js';

function problemsOf(topics: unknown): readonly string[] {
  try {
    resolveConfig({ section: 'messaging', Config: MessagingConfig, given: { topics } });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.problems.map(({ key, expected }) => `${key}: ${expected}`);
  }
  return [];
}

const name = 'must consist of letters, digits, dots, dashes and underscores';

describe('the entries of messaging.topics', () => {
  it.each([
    [{ 'orders.placed': { topic: 'shop.orders', codec: 'json', group: 'stock' }, 'orders.paid': {} }, []],
    [
      { 'orders.placed': { codec: 'avro' } },
      ['messaging.topics.orders.placed.codec: one of the following values: cloudevents, json, raw'],
    ],
    [{ 'orders.placed': { topic: 'shop orders' } }, [`messaging.topics.orders.placed.topic: ${name}`]],
    [{ 'orders.placed': { group: '' } }, [`messaging.topics.orders.placed.group: ${name}`]],
    [{ 'orders.placed': { topik: 'x' } }, ['messaging.topics.orders.placed.topik: one of topic, codec, group']],
    [{ 'orders.placed': 'shop.orders' }, ['messaging.topics.orders.placed: an object of topic, codec, group']],
    [
      { 'orders placed': {} },
      ['messaging.topics.orders placed: a type of events: letters, digits, dots, dashes and underscores'],
    ],
  ])('%j', (topics, problems) => {
    expect(problemsOf(topics)).toEqual(problems);
  });

  it('end the boot with all that is wrong', async () => {
    const topics = { 'orders.placed': { codec: 'avro', topic: '*' } } as never;
    await expect(bootMessaging({ options: { topics } })).rejects.toThrow(
      /topics\.orders\.placed\.topic[^]*topics\.orders\.placed\.codec/,
    );
  });
});
