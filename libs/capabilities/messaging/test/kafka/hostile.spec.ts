import { KafkaClient } from '@core-infra/kafka';
import { eventually, type HttpApp, uniqueName, useKafka } from '@core-infra/testing';
import { type IHeaders, type Kafka, Partitioners } from 'kafkajs';
import {
  type DeadReason,
  EventBus,
  type HandlerOptions,
  MessageContext,
  MessagingHub,
  type MessagingOptions,
} from '../../src/index.js';
import { type Order, Orders } from '../../src/testing/orders.js';
import { bootKafka } from './support/boot-kafka.js';

jest.setTimeout(120_000);

const kafka = useKafka();
const hubOf = (app: HttpApp): MessagingHub => app.get(MessagingHub as never, { strict: false });

interface Hostile {
  readonly what: string;
  readonly headers: IHeaders;
  /** Why it is a dead letter; without, it is handled. */
  readonly dead?: DeadReason;
}

const list: readonly Hostile[] = [
  { what: 'control bytes', headers: { 'x-\u0000\r\n': 'a\u0000\u0007\r\nb', '': 'no name' } },
  {
    what: '20,000 headers',
    headers: Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`x-${n}`, `${n}`])),
  },
  { what: 'a name that comes 100,000 times', headers: { x: Array.from({ length: 100_000 }, () => '') } },
  {
    what: 'names that every object has',
    headers: JSON.parse('{"__proto__":"x","constructor":"y","toString":"z","hasOwnProperty":"w"}') as IHeaders,
  },
  { what: 'a value of 100 KB', headers: { 'x-large': 'x'.repeat(100_000), ce_traceparent: '00-'.repeat(10_000) } },
  { what: 'an id of 100 KB', headers: { ce_id: 'i'.repeat(100_000) } },
  {
    what: 'bytes that are not UTF-8',
    headers: { 'x-bytes': Buffer.from([0xff, 0xc0, 0x80]), ce_subject: Buffer.of(0xff) },
  },
  { what: 'names that come twice', headers: { 'x-twice': ['a', Buffer.from('b')], ce_partitionkey: ['p', 'q'] } },
  {
    what: 'names of the driver',
    headers: { 'x-infra-attempts': '9999', 'x-infra-id': 'other', 'x-infra-not-before': '99999999999999' },
  },
  { what: 'a time that is none', headers: { ce_time: 'yesterday \u0000' } },
  { what: 'a version of 10,000 digits', headers: { ce_dataversion: '9'.repeat(10_000) }, dead: 'undecodable' },
  { what: 'an envelope that is said twice', headers: { ce_specversion: ['1.0', '1.0'] }, dead: 'undecodable' },
  { what: 'a media type that is none', headers: { 'content-type': 'text/\u0000\r\nx: y' }, dead: 'invalid' },
  {
    what: 'an envelope of another kind',
    headers: { 'content-type': 'application/cloudevents+json' },
    dead: 'undecodable',
  },
];

/** What a handler was given of one of them. */
interface Seen {
  readonly attempt: number;
  readonly headers: Readonly<Record<string, string>>;
}

/** Headers but those that the driver itself writes where it puts a message back. */
const foreign = ({ headers }: Seen) => Object.entries(headers).filter(([name]) => !name.startsWith('x-infra-'));

/** An app over one partition, whose handler keeps what it is given. */
class Site implements AsyncDisposable {
  readonly good = new Map<string, number[]>();
  readonly hostile = new Map<number, Seen[]>();
  private published = 0;

  private constructor(
    readonly orders: Orders,
    readonly app: HttpApp,
  ) {}

  static async boot(
    fails: (attempt: number) => boolean,
    options: MessagingOptions = {},
    given?: HandlerOptions,
  ): Promise<Site> {
    const orders = new Orders(uniqueName('hostile'));
    const found = { site: undefined as Site | undefined };
    const handle = (order: Order, { attempt, message: { headers } }: MessageContext): void => {
      const { good, hostile } = found.site!;
      if (!order.id.startsWith('hostile')) return void good.set(order.id, [...(good.get(order.id) ?? []), order.at]);
      hostile.set(order.at, [...(hostile.get(order.at) ?? []), { attempt, headers }]);
      if (fails(attempt)) throw new Error('not now');
    };
    const app = await bootKafka({
      brokers: kafka.brokers,
      controllers: [orders.handler(handle, given)],
      options: { group: uniqueName('group'), ...options, kafka: { partitions: 1 } },
    });
    return (found.site = new Site(orders, app));
  }

  /** Events of other keys, which have to be handled in their order. */
  async publishGood(): Promise<void> {
    const at = this.published++;
    const events = ['a', 'b', 'c'].map(id => this.orders.placed.of({ id, at }));
    await this.app.get(EventBus).publishBatch(events);
  }

  /** As any client may write them. */
  async publishHostile(): Promise<void> {
    const { type } = this.orders.placed;
    const native = this.app.get(KafkaClient).native as Kafka;
    const producer = native.producer({ createPartitioner: Partitioners.DefaultPartitioner });
    await producer.connect();
    for (const [at, { headers }] of list.entries()) {
      const envelope = { ce_specversion: '1.0', ce_id: `${at}`, ce_source: '/s', ce_type: type };
      const value = JSON.stringify({ id: `hostile-${at}`, at });
      const message = {
        key: `hostile-${at}`,
        value,
        headers: { ...envelope, 'content-type': 'application/json', ...headers },
      };
      await producer.send({ topic: type, messages: [message] });
      await this.publishGood();
    }
    await producer.disconnect();
  }

  async expectGood(): Promise<void> {
    const all = Array.from({ length: this.published }, (_, at) => at);
    await eventually(
      () => expect(Object.fromEntries(this.good)).toEqual(Object.fromEntries(['a', 'b', 'c'].map(id => [id, all]))),
      { timeoutMs: 60_000 },
    );
  }

  /** Which of them are dead letters, and why, by what they are. */
  async dead(): Promise<Record<string, DeadReason>> {
    const letters = await hubOf(this.app).deadLetters.list({}, { limit: 100 }, AbortSignal.timeout(20_000));
    const found = letters
      .filter(({ message }) => message.topic === this.orders.placed.type)
      .map(({ reason, message }) => [Number(/"at":(\d+)/.exec(message.body.toString())![1]), reason] as const);
    return Object.fromEntries(
      found.toSorted(([one], [other]) => one - other).map(([at, reason]) => [list[at]!.what, reason]),
    );
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.app.close();
  }
}

const unreadable = Object.fromEntries(list.flatMap(({ what, dead }) => (dead ? [[what, dead]] : [])));
const readable = list.flatMap(({ dead }, at) => (dead ? [] : [at]));

describe('what strangers write to Kafka', () => {
  it('is handled or a dead letter, whatever its headers are, and holds up nothing else', async () => {
    await using site = await Site.boot(() => false);
    await site.publishGood();
    await site.publishHostile();
    await site.expectGood();
    await eventually(() => expect([...site.hostile.keys()].toSorted((a, b) => a - b)).toEqual(readable));
    await eventually(async () => expect(await site.dead()).toEqual(unreadable), { timeoutMs: 20_000 });
    expect([...site.hostile.values()].map(seen => seen.map(({ attempt }) => attempt))).toEqual(readable.map(() => [1]));
    const headersOf = (what: string) => site.hostile.get(list.findIndex(one => one.what === what))![0]!.headers;
    expect(headersOf('control bytes')).toMatchObject({ 'x-\u0000\r\n': 'a\u0000\u0007\r\nb', '': 'no name' });
    expect(headersOf('20,000 headers')).toMatchObject({ 'x-0': '0', 'x-19999': '19999' });
    expect(headersOf('a value of 100 KB')['x-large']).toBe('x'.repeat(100_000));
    expect(headersOf('bytes that are not UTF-8')['x-bytes']).toBe('\ufffd\ufffd\ufffd');
    expect(headersOf('names that come twice')).toMatchObject({ 'x-twice': 'a, b', ce_partitionkey: 'p, q' });
    expect(({} as { x?: string }).x).toBeUndefined();
  });

  it.each<[string, MessagingOptions, HandlerOptions]>([
    ['parked', { retry: { firstDelayMs: 50, parkAfterMs: 0 } }, {}],
    ['in the topic of retries', { retry: { firstDelayMs: 50 } }, { ordered: false }],
  ])('goes through its attempts, %s, as it came', async (_how, options, given) => {
    await using site = await Site.boot(attempt => attempt === 1, options, given);
    await site.publishHostile();
    await site.expectGood();
    await eventually(
      () => {
        expect([...site.hostile.keys()].toSorted((a, b) => a - b)).toEqual(readable);
        expect([...site.hostile.values()].map(seen => seen.map(({ attempt }) => attempt))).toEqual(
          readable.map(() => [1, 2]),
        );
      },
      { timeoutMs: 60_000 },
    );
    for (const [first, second] of site.hostile.values()) expect(foreign(second!)).toEqual(foreign(first!));
    await eventually(async () => expect(await site.dead()).toEqual(unreadable), { timeoutMs: 20_000 });
  });

  it('is a dead letter with all that came, when no attempt helps', async () => {
    await using site = await Site.boot(() => true, { retry: { attempts: 1 } });
    await site.publishHostile();
    await site.expectGood();
    const all = Object.fromEntries(list.map(({ what, dead }) => [what, dead ?? 'attempts']));
    await eventually(async () => expect(await site.dead()).toEqual(all), { timeoutMs: 30_000 });
    const letters = await hubOf(site.app).deadLetters.list({}, { limit: 100 }, AbortSignal.timeout(20_000));
    for (const at of readable) {
      const letter = letters.find(({ message }) => message.body.toString().includes(`"hostile-${at}"`))!;
      expect(letter.message.headers).toEqual(site.hostile.get(at)![0]!.headers);
    }
  });
});
