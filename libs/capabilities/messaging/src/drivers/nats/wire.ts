import { CE } from '../../codec/cloudevents.codec.js';
import type { WireMessage } from '../../driver/message.js';
import type { RawHeaders } from './raw-headers.js';

/** CloudEvents' names in its binding for NATS. */
const NATS_CE = 'ce-';
/** Headers of this driver, which apps may not use. */
const own = 'x-infra-';
const messageId = 'Nats-Msg-Id';
/** What a server adds. */
const servers = /^nats-/i;
const plain = /^[\x21\x23\x24\x26-\x7e]*$/;
const unsafe = /[^\x21\x23\x24\x26-\x7e]+/g;
const plainName = /^[\x21\x23\x24\x26-\x39\x3b-\x7e]+$/;
const unsafeName = /[^\x21\x23\x24\x26-\x39\x3b-\x7e]+/g;

/** What nearly every message has, by its name here and there. */
const usual = [
  ['content-type', 'content-type'],
  ...(
    'id source type time subject specversion dataversion dataschema partitionkey ' +
    'traceparent tracestate correlationid causationid'
  )
    .split(' ')
    .map(name => [CE + name, NATS_CE + name]),
] as [string, string][];
const toUsual: ReadonlyMap<string, string> = new Map(usual);
const fromUsual: ReadonlyMap<string, string> = new Map(usual.map(([here, there]) => [there, here]));

/** Headers of ours, without their prefix. */
export type OwnHeaders = Readonly<Record<string, string>>;

/** A message as NATS carries it. */
export interface NatsContent {
  readonly headers: Record<string, string>;
  readonly data: Buffer;
  readonly msgId: string;
}

/** The id that the server knows a message by is one for all of a stream: it has the topic and the source in it, as ids of events are those of their source. */
export function toNats({ id, topic, key, headers, body }: WireMessage, extra: OwnHeaders = {}): NatsContent {
  const out: Record<string, string> = {};
  for (const name in headers) out[natsName(name)] = encode(headers[name]!);
  if (headers.ce_id !== id) out[`${own}id`] = encode(id);
  if (key !== undefined && key !== headers.ce_partitionkey) out[`${own}key`] = encode(key);
  for (const name in extra) out[own + name] = encode(extra[name]!);
  return { headers: out, data: body, msgId: `${encode(topic)}%20${encode(headers.ce_source ?? '')}%20${encode(id)}` };
}

/** A message as the bus has it, its topic aside. */
export interface FromNats {
  readonly id: string;
  readonly key: string | undefined;
  readonly headers: Record<string, string>;
  readonly body: Buffer;
  readonly extra: OwnHeaders;
}

const nothing: OwnHeaders = Object.freeze({});

/** @param unsaid what a message without an id is known by */
export function fromNats(given: RawHeaders | undefined, data: Uint8Array, unsaid: string): FromNats {
  const headers: Record<string, string> = {};
  let extra: Record<string, string> | undefined;
  let said: string | undefined;
  const { names = [], values = [] } = given ?? {};
  for (let at = 0; at < names.length; at += 1) {
    const rawName = names[at]!;
    const value = values[at]!;
    const known = fromUsual.get(rawName);
    if (known !== undefined) add(headers, known, decode(value));
    else if (rawName === messageId) said ??= value;
    else if (!servers.test(rawName)) {
      const name = decode(rawName);
      if (name.startsWith(own)) add((extra ??= {}), name.slice(own.length), decode(value));
      else if (/^ce-/i.test(name)) add(headers, CE + name.slice(NATS_CE.length).toLowerCase(), decode(value));
      else add(headers, name.toLowerCase() === 'content-type' ? 'content-type' : name, decode(value));
    }
  }
  const id = extra?.id ?? headers.ce_id ?? (said === undefined ? unsaid : decode(said));
  const key = extra?.key ?? headers.ce_partitionkey;
  const body = Buffer.isBuffer(data) ? data : Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return { id, key, headers, body, extra: extra ?? nothing };
}

/** What comes more than once is a list. */
function add(headers: Record<string, string>, name: string, value: string): void {
  headers[name] = Object.hasOwn(headers, name) ? `${headers[name]!}, ${value}` : value;
}

/** As CloudEvents' binding says: what is not printable ASCII, and space, `"` and `%`, as percent-encoded UTF-8. */
export function encode(value: string): string {
  return plain.test(value) ? value : value.replace(unsafe, percent);
}

function natsName(name: string): string {
  return toUsual.get(name) ?? (name.startsWith(CE) ? NATS_CE + encodeName(name.slice(CE.length)) : encodeName(name));
}

function encodeName(name: string): string {
  return plainName.test(name) ? name : name.replace(unsafeName, percent);
}

function percent(text: string): string {
  return Buffer.from(text).toString('hex').toUpperCase().replaceAll(/../g, '%$&');
}

/** Other systems send per cent signs that stand for themselves. */
export function decode(value: string): string {
  if (!value.includes('%')) return value;
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
