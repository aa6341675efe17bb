import type { CloudEvent } from '../events/cloud-event.js';
import { EventUndecodableError } from '../errors.js';
import type { Codec, Encoded, ReadableMessage } from './codec.js';
import { jsonBody, jsonText, ownHeaders, versionOf } from './json-body.js';

/** What attributes are called by in headers, as in CloudEvents' binding for Kafka; drivers translate it to their own. */
export const CE = 'ce_';

const contentType = 'content-type';
const structured = 'application/cloudevents+json';
const json = 'application/json';

/** Attributes of the envelope by their name on the wire. */
const names = {
  id: 'id',
  source: 'source',
  type: 'type',
  time: 'time',
  subject: 'subject',
  dataschema: 'dataschema',
  key: 'partitionkey',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  correlationId: 'correlationid',
  causationId: 'causationid',
} as const;

type Attribute = keyof typeof names;
const attributes = Object.entries(names) as [Attribute, string][];

/** CloudEvents 1.0 with JSON data: attributes in headers (binary mode) or all in the body (structured mode). Both are read. */
export function cloudEventsCodec(mode: 'binary' | 'structured'): Codec {
  return { encode: mode === 'binary' ? encodeBinary : encodeStructured, decode };
}

/** The names are written out: this is what nearly every message goes through. */
function encodeBinary(event: CloudEvent): Encoded {
  const bytes = Buffer.isBuffer(event.data) ? event.data : undefined;
  const headers: Record<string, string> = {
    ...event.headers,
    [contentType]: event.datacontenttype ?? (bytes ? 'application/octet-stream' : json),
    ce_specversion: '1.0',
    ce_dataversion: String(event.version),
    ce_id: event.id,
    ce_source: event.source,
    ce_type: event.type,
    ce_time: event.time,
  };
  if (event.subject !== undefined) headers.ce_subject = event.subject;
  if (event.dataschema !== undefined) headers.ce_dataschema = event.dataschema;
  if (event.key !== undefined) headers.ce_partitionkey = event.key;
  if (event.traceparent !== undefined) headers.ce_traceparent = event.traceparent;
  if (event.tracestate !== undefined) headers.ce_tracestate = event.tracestate;
  if (event.correlationId !== undefined) headers.ce_correlationid = event.correlationId;
  if (event.causationId !== undefined) headers.ce_causationid = event.causationId;
  return { headers, body: bytes ?? Buffer.from(jsonText(event.type, event.data)) };
}

function encodeStructured(event: CloudEvent): Encoded {
  const envelope: Record<string, unknown> = { specversion: '1.0', dataversion: String(event.version) };
  for (const [attribute, name] of attributes) if (event[attribute] !== undefined) envelope[name] = event[attribute];
  if (Buffer.isBuffer(event.data)) {
    envelope.datacontenttype = event.datacontenttype ?? 'application/octet-stream';
    envelope.data_base64 = event.data.toString('base64');
  } else {
    envelope.datacontenttype = event.datacontenttype ?? json;
    envelope.data = event.data;
  }
  return {
    headers: { ...event.headers, [contentType]: `${structured}; charset=UTF-8` },
    body: Buffer.from(jsonText(event.type, envelope)),
  };
}

function decode(message: ReadableMessage): CloudEvent {
  const given = message.headers[contentType];
  if (given === undefined || given === json) return decodeBinary(message);
  const media = given.toLowerCase();
  if (media.startsWith(structured)) return decodeStructured(message);
  if (media.startsWith('application/cloudevents'))
    throw new EventUndecodableError(message.topic, `its content type is ${media.slice(0, 100)}, and only JSON is read`);
  return decodeBinary(message);
}

/** Attributes as they are in headers. */
type Attributes = Readonly<Record<string, string | undefined>>;

function decodeBinary(message: ReadableMessage): CloudEvent {
  const { headers } = message;
  const media = headers[contentType];
  const isJson = media === undefined || media === json || /[/+]json(?:;|$)/i.test(media);
  const event = envelope(message, headers, media, ownHeaders(headers, isOfEnvelope));
  event.data = isJson ? jsonBody(message) : message.body;
  return event;
}

const isOfEnvelope = (name: string): boolean => name.startsWith(CE) || name === contentType;
const isContentType = (name: string): boolean => name === contentType;

function decodeStructured(message: ReadableMessage): CloudEvent {
  const body = jsonBody(message);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new EventUndecodableError(message.topic, 'its body is no JSON object');
  const fields = new Map<string, unknown>(Object.entries(body));
  const attribute = (name: string): string | undefined => {
    const value = fields.get(name);
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string') return value;
    if (typeof value === 'number' || typeof value === 'boolean') return String(value);
    throw new EventUndecodableError(message.topic, `its attribute ${name} is no text`);
  };
  const said: Record<string, string> = {};
  for (const name of ['specversion', 'dataversion', ...Object.values(names)]) {
    const value = attribute(name);
    if (value !== undefined) said[CE + name] = value;
  }
  const base64 = attribute('data_base64');
  const headers = ownHeaders(message.headers, isContentType);
  const event = envelope(message, said, attribute('datacontenttype'), headers);
  event.data = base64 === undefined ? fields.get('data') : Buffer.from(base64, 'base64');
  return event;
}

/** Still without its data. */
type Event = { -readonly [Name in keyof CloudEvent]: CloudEvent[Name] };

function envelope(
  message: ReadableMessage,
  said: Attributes,
  datacontenttype: string | undefined,
  headers: Record<string, string>,
): Event {
  const { ce_specversion: specversion, ce_id: id, ce_source: source, ce_type: type } = said;
  if (specversion !== '1.0') {
    if (!specversion) throw lacking(message, 'specversion');
    throw new EventUndecodableError(
      message.topic,
      `its version of CloudEvents is ${specversion.slice(0, 20)}, not 1.0`,
    );
  }
  if (!id) throw lacking(message, 'id');
  if (!source) throw lacking(message, 'source');
  if (!type) throw lacking(message, 'type');
  const event: Event = {
    id,
    source,
    type,
    time: said.ce_time ?? new Date(message.time).toISOString(),
    version: versionOf(message, said.ce_dataversion, 1),
    headers,
    data: undefined,
  };
  if (datacontenttype !== undefined) event.datacontenttype = datacontenttype;
  if (said.ce_subject !== undefined) event.subject = said.ce_subject;
  if (said.ce_dataschema !== undefined) event.dataschema = said.ce_dataschema;
  const key = said.ce_partitionkey ?? message.key;
  if (key !== undefined) event.key = key;
  if (said.ce_traceparent !== undefined) event.traceparent = said.ce_traceparent;
  if (said.ce_tracestate !== undefined) event.tracestate = said.ce_tracestate;
  if (said.ce_correlationid !== undefined) event.correlationId = said.ce_correlationid;
  if (said.ce_causationid !== undefined) event.causationId = said.ce_causationid;
  return event;
}

function lacking({ topic }: ReadableMessage, name: string): EventUndecodableError {
  return new EventUndecodableError(topic, `it has no attribute ${name}`);
}
