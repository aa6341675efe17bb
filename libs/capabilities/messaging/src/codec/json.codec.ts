import type { CloudEvent } from '../events/cloud-event.js';
import type { Codec, Encoded, ReadableMessage, Unsaid } from './codec.js';
import { jsonBody, jsonText, ownHeaders, versionOf } from './json-body.js';

/** Bare data, for topics of other systems: no envelope but a few headers that those may ignore. The type comes from the topic. */
export const jsonCodec: Codec = {
  encode: event => bare(event, 'application/json', Buffer.from(jsonText(event.type, event.data))),
  decode: (message, unsaid) => unwrapped(message, unsaid, jsonBody(message)),
};

/** Bytes as they are; the data is a Buffer. */
export const rawCodec: Codec = {
  encode: event =>
    bare(
      event,
      'application/octet-stream',
      Buffer.isBuffer(event.data) ? event.data : Buffer.from(jsonText(event.type, event.data)),
    ),
  decode: (message, unsaid) => unwrapped(message, unsaid, message.body),
};

const own = {
  id: 'event-id',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  correlationId: 'correlation-id',
} as const;
const versionName = 'event-version';
const ownFields = Object.entries(own) as [keyof typeof own, string][];
const ownNames = new Set<string>([...Object.values(own), versionName, 'content-type']);

const isOwn = (name: string): boolean => ownNames.has(name);

function bare(event: CloudEvent, media: string, body: Buffer): Encoded {
  const headers: Record<string, string> = {
    ...event.headers,
    'content-type': event.datacontenttype ?? media,
    [versionName]: String(event.version),
  };
  for (const [field, name] of ownFields) {
    const value = event[field];
    if (value !== undefined) headers[name] = value;
  }
  return { headers, body };
}

function unwrapped(message: ReadableMessage, { type, version }: Unsaid, data: unknown): CloudEvent {
  const { headers, topic, key } = message;
  return {
    // A topic of another system has no ids of events: what the driver knows the message by is as good.
    id: headers[own.id] ?? message.id,
    source: topic,
    type,
    time: new Date(message.time).toISOString(),
    version: versionOf(message, headers[versionName], version),
    ...(key !== undefined && { key }),
    ...(headers['content-type'] !== undefined && { datacontenttype: headers['content-type'] }),
    ...(headers.traceparent !== undefined && { traceparent: headers.traceparent }),
    ...(headers.tracestate !== undefined && { tracestate: headers.tracestate }),
    ...(headers[own.correlationId] !== undefined && { correlationId: headers[own.correlationId] }),
    headers: ownHeaders(headers, isOwn),
    data,
  };
}
