import { cloudEventsCodec } from '../../src/codec/cloudevents.codec.js';
import { jsonCodec, rawCodec } from '../../src/codec/json.codec.js';
import type { CloudEvent } from '../../src/index.js';

const ce = { ce_specversion: '1.0', ce_id: '1', ce_source: '/s', ce_type: 't' };
const json = 'application/json';
const structured = 'application/cloudevents+json';

const message = (headers: Record<string, string>, body: string | Buffer) => ({
  id: 'place-7',
  topic: 'orders',
  partition: 0,
  position: 7,
  time: 0,
  headers,
  body: Buffer.from(body),
});

const decode = (headers: Record<string, string>, body: string | Buffer) =>
  cloudEventsCodec('binary').decode(message(headers, body), { type: 'orders', version: 3 });

const event = (data: unknown): CloudEvent => ({
  id: '1',
  source: '/s',
  type: 'orders',
  time: '2026-01-01T00:00:00.000Z',
  version: 3,
  headers: {},
  data,
});

describe('what is read as an event', () => {
  it.each([
    ['no attributes', {}, '{}', /no attribute specversion/],
    ['an old version', { ...ce, ce_specversion: '0.3' }, '{}', /0\.3, not 1\.0/],
    ['no id', { ...ce, ce_id: '' }, '{}', /no attribute id/],
    ['half of JSON', { ...ce, 'content-type': json }, '{"a":', /not JSON/],
    ['bytes that are no UTF-8', { ...ce, 'content-type': json }, Buffer.from([0x22, 0xff, 0x22]), /not JSON/],
    ['a version that is none', { ...ce, ce_dataversion: '1.5' }, '{}', /no whole number/],
    ['a batch', { 'content-type': 'application/cloudevents-batch+json' }, '[]', /only JSON is read/],
    ['an envelope that is a list', { 'content-type': structured }, '[]', /no JSON object/],
    [
      'an attribute that is an object',
      { 'content-type': structured },
      '{"specversion":"1.0","id":{}}',
      /id is no text/,
    ],
  ])('is not %s', (_what, headers, body, says) => {
    expect(() => decode(headers, body)).toThrow(says);
  });

  it('is what has no data, and what has no time', () => {
    const { data, time } = decode({ ...ce, 'content-type': json }, '');
    expect([data, time]).toEqual([undefined, '1970-01-01T00:00:00.000Z']);
  });

  it('keeps bytes that are no JSON as they are', () => {
    expect(decode({ ...ce, 'content-type': 'text/plain' }, 'hello').data).toEqual(Buffer.from('hello'));
  });

  it.each(['{"__proto__":{"admin":true},"a":1}', '{"\\u005f_proto__":{"admin":true},"a":1}'])(
    'leaves out what would change prototypes: %s',
    body => {
      const { data } = decode({ ...ce, 'content-type': json }, body);
      expect(Object.keys(data as object)).toEqual(['a']);
      expect((Object.assign({}, data) as { admin?: boolean }).admin).toBeUndefined();
    },
  );

  it('does not take a header for a prototype', () => {
    const headers = JSON.parse('{"__proto__":"x","x-a":"1"}') as Record<string, string>;
    const read = decode(Object.assign(Object.create(null) as object, headers, ce), '{}');
    expect(Object.keys(read.headers)).toEqual(['x-a']);
    expect(Object.getPrototypeOf(read.headers)).toBe(Object.prototype);
  });
});

describe('bare codecs', () => {
  it('take what a message does not say from its topic, and its id from where it lies', () => {
    const read = jsonCodec.decode(message({ 'x-a': '1' }, '{"a":1}'), { type: 'orders', version: 3 });
    expect(read).toEqual({
      id: 'place-7',
      source: 'orders',
      type: 'orders',
      version: 3,
      time: '1970-01-01T00:00:00.000Z',
      headers: { 'x-a': '1' },
      data: { a: 1 },
    });
  });

  it('say version and id where they write, and read them', () => {
    const { headers, body } = jsonCodec.encode({ ...event({ a: 1 }), version: 2 });
    expect([body.toString(), headers['event-version'], headers['event-id']]).toEqual(['{"a":1}', '2', '1']);
    expect(jsonCodec.decode(message(headers, body), { type: 'orders', version: 3 })).toMatchObject({
      id: '1',
      version: 2,
    });
  });

  it('carry bytes as they are', () => {
    const bytes = Buffer.from([0, 255]);
    const { headers, body } = rawCodec.encode(event(bytes));
    expect(rawCodec.decode(message(headers, body), { type: 'orders', version: 3 }).data).toEqual(bytes);
  });
});

describe('what cannot be written', () => {
  const cyclic: Record<string, unknown> = {};
  cyclic.self = cyclic;
  it.each([
    ['refers to itself', cyclic, /refers to itself/],
    ['has a BigInt', { total: 1n }, /BigInt/],
    ['says that it is nothing', { toJSON: () => undefined }, /cannot be written as JSON/],
  ])('is data that %s', (_what, data, says) => {
    for (const { encode } of [jsonCodec, cloudEventsCodec('binary')]) {
      expect(() => encode(event(data))).toThrow(says);
      expect(() => encode(event(data))).toThrow(expect.objectContaining({ code: 'INFRA_EVENT_INVALID' }));
    }
  });
});
