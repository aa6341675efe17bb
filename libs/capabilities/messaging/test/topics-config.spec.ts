import { ConfigError, resolveConfig } from '@core-infra/kernel';
import { MessagingConfig } from '../src/index.js';
import { addressesOf } from '../src/config/topic.config.js';
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

const fields = 'topic, codec, group, groups, exchange, routingKey, queue, subject, stream';
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
    [{ 'orders.placed': { topik: 'x' } }, [`messaging.topics.orders.placed.topik: one of ${fields}`]],
    [{ 'orders.placed': 'shop.orders' }, [`messaging.topics.orders.placed: an object of ${fields}`]],
    [
      { a: { exchange: 'their exchange', routingKey: '', queue: 'their/queue' }, b: { subject: 'a.b', stream: 'S' } },
      [],
    ],
    [{ a: { queue: '' } }, ['messaging.topics.a.queue: longer than or equal to 1 characters']],
    [
      { a: { routingKey: 'x' }, b: { stream: 'S' } },
      ['messaging.topics.a.routingKey: beside exchange', 'messaging.topics.b.stream: beside subject'],
    ],
    [{ a: { subject: 'a.>' } }, ['messaging.topics.a.subject: must be a subject without wildcards']],
    [
      { a: { subject: 'a', stream: 'a.b' } },
      ['messaging.topics.a.stream: must be a name without spaces, dots, wildcards and slashes'],
    ],
    [
      { a: { topic: 't', exchange: 'x' }, b: { topic: 't', exchange: 'y' }, c: { topic: 't' } },
      ['messaging.topics.b.exchange: the same as topics.a.exchange, whose topic it shares'],
    ],
    [
      { 'orders placed': {} },
      ['messaging.topics.orders placed: a type of events: letters, digits, dots, dashes and underscores'],
    ],
  ])('%j', (topics, problems) => {
    expect(problemsOf(topics)).toEqual(problems);
  });

  it('give a topic the address of each of its types', () => {
    const topics = { a: { topic: 't', exchange: 'x' }, b: { topic: 't', queue: 'q' }, c: {}, d: { queue: 'q2' } };
    expect([...addressesOf({ topics })]).toEqual([
      ['t', { exchange: 'x', queue: 'q' }],
      ['d', { queue: 'q2' }],
    ]);
    expect([...addressesOf({ topics: { d: { queue: 'q2' } }, defaultTopic: 'all' }).keys()]).toEqual(['all']);
  });

  it('end the boot with all that is wrong', async () => {
    const topics = { 'orders.placed': { codec: 'avro', topic: '*' } } as never;
    await expect(bootMessaging({ options: { topics } })).rejects.toThrow(
      /topics\.orders\.placed\.topic[^]*topics\.orders\.placed\.codec/,
    );
  });
});
