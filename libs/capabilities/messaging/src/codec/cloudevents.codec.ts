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
/** Headers by the attribute that they carry; put together once, since it is asked for with every event. */
const headerNames: Readonly<Record<string, string>> = Object.fromEntries(
  ['specversion', 'dataversion', ...Object.values(names)].map(name => [name, CE + name]),
);

/** CloudEvents 1.0 with JSON data: attributes in headers (binary mode) or all in the body (structured mode). Both are read. */
export function cloudEventsCodec(mode: 'binary' | 'structured'): Codec {
  return { encode: mode === 'binary' ? encodeBinary : encodeStructured, decode };
}

function encodeBinary(event: CloudEvent): Encoded {
  const bytes = Buffer.isBuffer(event.data) ? event.data : undefined;
  const headers: Record<string, string> = {
    ...event.headers,
    [contentType]: event.datacontenttype ?? (bytes ? 'application/octet-stream' : json),
    ce_specversion: '1.0',
    ce_dataversion: String(event.version),
  };
  for (const [attribute, name] of attributes) {
    const value = event[attribute];
    if (value !== undefined) headers[headerNames[name]!] = value;
  }
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
  const media = message.headers[contentType]?.toLowerCase() ?? '';
  if (media.startsWith(structured)) return decodeStructured(message);
  if (media.startsWith('application/cloudevents'))
    throw new EventUndecodableError(message.topic, `its content type is ${media.slice(0, 100)}, and only JSON is read`);
  return decodeBinary(message);
}

function decodeBinary(message: ReadableMessage): CloudEvent {
  const { headers } = message;
  const attribute = (name: string): string | undefined => headers[headerNames[name]!];
  const media = headers[contentType];
  const isJson = media === undefined || /[/+]json(?:;|$)/i.test(media);
  return envelope(
    message,
    attribute,
    media,
    ownHeaders(headers, name => name.startsWith(CE) || name === contentType),
    () => (isJson ? jsonBody(message) : message.body),
  );
}

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
  const base64 = attribute('data_base64');
  return envelope(
    message,
    attribute,
    attribute('datacontenttype'),
    ownHeaders(message.headers, name => name === contentType),
    () => (base64 === undefined ? fields.get('data') : Buffer.from(base64, 'base64')),
  );
}

function envelope(
  message: ReadableMessage,
  attribute: (name: string) => string | undefined,
  datacontenttype: string | undefined,
  headers: Record<string, string>,
  data: () => unknown,
): CloudEvent {
  const required = (name: string): string => {
    const value = attribute(name);
    if (!value) throw new EventUndecodableError(message.topic, `it has no attribute ${name}`);
    return value;
  };
  const specversion = required('specversion');
  if (specversion !== '1.0')
    throw new EventUndecodableError(
      message.topic,
      `its version of CloudEvents is ${specversion.slice(0, 20)}, not 1.0`,
    );
  const event: Record<string, unknown> = {
    id: required('id'),
    source: required('source'),
    type: required('type'),
    time: attribute('time') ?? new Date(message.time).toISOString(),
    version: versionOf(message, attribute('dataversion'), 1),
    headers,
    data: data(),
    ...(datacontenttype !== undefined && { datacontenttype }),
  };
  for (const [field, name] of attributes) {
    if (field in event) continue;
    const value = attribute(name);
    if (value !== undefined) event[field] = value;
  }
  if (event.key === undefined && message.key !== undefined) event.key = message.key;
  return event as unknown as CloudEvent;
}
