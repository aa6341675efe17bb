import type { CloudEvent } from '../events/cloud-event.js';
import type { Codec, Encoded, ReadableMessage } from './codec.js';
import { jsonBody, ownHeaders } from './json-body.js';

/** Bare data, for topics of other systems: no envelope but a few headers that those may ignore. The type comes from the topic. */
export const jsonCodec: Codec = {
  encode: event => bare(event, 'application/json', Buffer.from(JSON.stringify(event.data))),
  decode: (message, type) => unwrapped(message, type, jsonBody(message)),
};

/** Bytes as they are; the data is a Buffer. */
export const rawCodec: Codec = {
  encode: event =>
    bare(
      event,
      'application/octet-stream',
      Buffer.isBuffer(event.data) ? event.data : Buffer.from(JSON.stringify(event.data)),
    ),
  decode: (message, type) => unwrapped(message, type, message.body),
};

const own = {
  id: 'event-id',
  traceparent: 'traceparent',
  tracestate: 'tracestate',
  correlationId: 'correlation-id',
} as const;
const ownNames = new Set<string>([...Object.values(own), 'content-type']);

function bare(event: CloudEvent, media: string, body: Buffer): Encoded {
  const headers: Record<string, string> = { ...event.headers, 'content-type': event.datacontenttype ?? media };
  for (const [field, name] of Object.entries(own) as [keyof typeof own, string][]) {
    const value = event[field];
    if (value !== undefined) headers[name] = value;
  }
  return { headers, body };
}

function unwrapped(message: ReadableMessage, type: string, data: unknown): CloudEvent {
  const { headers, topic, partition, position, key } = message;
  return {
    // A topic of another system has no ids: a place in it is as good.
    id: headers[own.id] ?? `${partition}-${position}`,
    source: topic,
    type,
    time: new Date(message.time).toISOString(),
    version: 1,
    ...(key !== undefined && { key }),
    ...(headers['content-type'] !== undefined && { datacontenttype: headers['content-type'] }),
    ...(headers.traceparent !== undefined && { traceparent: headers.traceparent }),
    ...(headers.tracestate !== undefined && { tracestate: headers.tracestate }),
    ...(headers[own.correlationId] !== undefined && { correlationId: headers[own.correlationId] }),
    headers: ownHeaders(headers, name => ownNames.has(name)),
    data,
  };
}
