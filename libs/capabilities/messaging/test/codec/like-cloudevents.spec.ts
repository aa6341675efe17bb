import { CloudEvent as SdkEvent, Kafka } from 'cloudevents';
import { cloudEventsCodec } from '../../src/codec/cloudevents.codec.js';
import type { CloudEvent } from '../../src/index.js';

const event: CloudEvent = {
  id: '0190f5a2-0000-7000-8000-000000000000',
  source: '/orders-api',
  type: 'orders.placed',
  time: '2026-11-21T10:00:00.123Z',
  subject: 'order 42 ☃',
  dataschema: 'https://example.org/orders.placed.json',
  version: 2,
  key: 'größer',
  traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
  tracestate: 'a=b',
  correlationId: 'c-1',
  causationId: 'r-1',
  headers: { 'x-tenant': 'a' },
  data: { id: '42', note: 'ü \u2028 ☃', nested: { list: [1, 2.5, null, true] } },
};

const modes = ['binary', 'structured'] as const;

const attributesOf = ({ id, source, type, subject, dataschema, data, ...rest }: SdkEvent<unknown>) => {
  const { time, dataversion, partitionkey, correlationid, causationid, traceparent, tracestate } = rest;
  return {
    id,
    source,
    type,
    subject,
    dataschema,
    data,
    time,
    dataversion,
    partitionkey,
    correlationid,
    causationid,
    traceparent,
    tracestate,
  };
};

const onTheWire = {
  id: event.id,
  source: event.source,
  type: event.type,
  subject: event.subject,
  dataschema: event.dataschema,
  data: event.data,
  time: event.time,
  dataversion: '2',
  partitionkey: 'größer',
  correlationid: 'c-1',
  causationid: 'r-1',
  traceparent: event.traceparent,
  tracestate: 'a=b',
};

const message = (headers: Readonly<Record<string, string>>, body: Buffer) => ({
  id: 'm',
  topic: 'orders.placed',
  partition: 0,
  position: 7,
  time: 0,
  headers,
  body,
});

const unsaid = { type: 'orders.placed', version: 1 };

describe('CloudEvents as the SDK of the project has them', () => {
  it.each(modes)('writes what it reads: %s', mode => {
    const { headers, body } = cloudEventsCodec(mode).encode(event);
    // It takes the key of the message for the partition key, as its binding for Kafka has it.
    const sent = { headers, key: event.key, body: body.toString(), value: body.toString() };
    const read = Kafka.toEvent(sent as never) as SdkEvent<unknown>;
    expect(read.validate()).toBe(true);
    expect(attributesOf(read)).toEqual(onTheWire);
  });

  it.each(modes)('writes bytes that it reads: %s', mode => {
    const bytes = Buffer.from([0, 1, 255, 254]);
    const { headers, body } = cloudEventsCodec(mode).encode({ ...event, data: bytes });
    if (mode === 'binary') expect([headers['content-type'], body]).toEqual(['application/octet-stream', bytes]);
    else {
      const read = Kafka.toEvent({ headers, body: body.toString(), value: body.toString() } as never);
      expect(Buffer.from((read as SdkEvent<Uint8Array>).data!)).toEqual(bytes);
    }
  });

  it.each(modes)('reads what it writes: %s', mode => {
    const { key, correlationId, causationId, version, headers, ...rest } = event;
    const written = Kafka[mode](
      new SdkEvent({
        ...rest,
        partitionkey: key,
        correlationid: correlationId,
        causationid: causationId,
        dataversion: String(version),
      }),
    );
    const value: unknown = written.value;
    const body = Buffer.isBuffer(value)
      ? value
      : Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
    const sent = Object.fromEntries(
      Object.entries(written.headers).flatMap(([name, text]) => (text ? [[name, String(text)]] : [])),
    );
    const { datacontenttype, ...read } = cloudEventsCodec('binary').decode(
      { ...message({ ...sent, ...headers }, body), key: String(written.key) },
      unsaid,
    );
    expect(read).toEqual(event);
    expect(datacontenttype).toBeUndefined();
  });

  it.each(modes)('reads what it wrote itself, bytes too: %s', mode => {
    for (const data of [event.data, Buffer.from([0, 255])]) {
      const { headers, body } = cloudEventsCodec(mode).encode({ ...event, data });
      const { datacontenttype, ...read } = cloudEventsCodec('binary').decode(message(headers, body), unsaid);
      expect(read).toEqual({ ...event, data });
      expect(datacontenttype).toBe(Buffer.isBuffer(data) ? 'application/octet-stream' : 'application/json');
    }
  });
});
