import { randomUUID } from 'node:crypto';
import type { OutgoingMessage as AmqpMessage, RabbitmqMessage } from '@core-infra/rabbitmq';
import { CE } from '../../codec/cloudevents.codec.js';
import type { WireMessage } from '../../driver/message.js';
import { isTexts } from '../../driver/texts.js';

/** CloudEvents' names in its binding for AMQP; `cloudEvents:` is read as well, which the binding allows. */
const AMQP_CE = 'cloudEvents_';
const AMQP_CE_TOO = 'cloudEvents:';
const contentType = 'content-type';
/** Attributes that nearly all messages have, by both names: texts that are put together anew for each message take longest of all. */
const attributes =
  'specversion dataversion id source type time subject dataschema partitionkey traceparent tracestate correlationid causationid'.split(
    ' ',
  );
const amqpNames: ReadonlyMap<string, string> = new Map(attributes.map(name => [CE + name, AMQP_CE + name]));
const wireNames: ReadonlyMap<string, string> = new Map(attributes.map(name => [AMQP_CE + name, CE + name]));
/** Headers of this driver, which apps may not use. */
const own = 'x-infra-';
/** Headers that brokers add. */
const brokers = /^(?:x-delivery-count$|x-acquired-count$|x-death$|x-(?:first|last)-death-|x-opt-|CC$|BCC$)/;
/** AMQP's short texts, in bytes. */
const shortest = 255;
/** Headers beyond this go into the body: amqplib encodes at most 65,536 bytes of them. */
const mostHeaderBytes = 48 * 1024;
const wrapped = 'application/vnd.core-infra.message+json';

/** Headers of ours, without their prefix. */
export type OwnHeaders = Readonly<Record<string, string>>;

export type AmqpContent = Pick<AmqpMessage, 'content' | 'headers' | 'contentType' | 'messageId' | 'timestampMs'>;

/** A message as AMQP carries it. */
export function toAmqp({ id, key, headers, body }: WireMessage, extra: OwnHeaders = {}): AmqpContent {
  const table: Record<string, unknown> = {};
  let media: string | undefined;
  for (const name of Object.keys(headers)) {
    const value = headers[name]!;
    const known = amqpNames.get(name);
    if (known !== undefined) table[known] = value;
    else if (name === contentType && isShort(value)) media = value;
    else table[name.startsWith(CE) ? AMQP_CE + name.slice(CE.length) : name] = value;
  }
  const fits = id !== '' && isShort(id);
  if (!fits) table[`${own}id`] = id;
  if (key !== undefined && key !== headers.ce_partitionkey) table[`${own}key`] = key;
  for (const name in extra) table[own + name] = extra[name];
  return {
    content: body,
    headers: table,
    messageId: fits ? id : randomUUID(),
    timestampMs: Date.now(),
    ...(media !== undefined && { contentType: media }),
  };
}

/** The same for messages that are here already and must be kept, however large their headers are. */
export function toAmqpWhole(message: WireMessage, extra: OwnHeaders): AmqpContent {
  let bytes = 0;
  for (const [name, value] of Object.entries({ ...message.headers, ...extra }))
    bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 32;
  if (bytes <= mostHeaderBytes) return toAmqp(message, extra);
  const { id, key, headers, body } = message;
  return {
    content: JSON.stringify({ id, key, headers, body: body.toString('base64'), extra }),
    contentType: wrapped,
    timestampMs: Date.now(),
  };
}

/** A message as the bus has it, its topic aside. */
export interface FromAmqp {
  readonly message: Omit<WireMessage, 'topic'>;
  readonly extra: OwnHeaders;
  /** In milliseconds since 1970, where it is said. */
  readonly time?: number;
}

export function fromAmqp({
  content,
  properties,
  headers: table,
}: Pick<RabbitmqMessage, 'content' | 'properties' | 'headers'>): FromAmqp {
  const { messageId, timestamp } = properties as { messageId?: unknown; timestamp?: unknown };
  const media: unknown = properties.contentType;
  const time = typeof timestamp === 'number' && { time: timestamp * 1_000 };
  const whole = media === wrapped ? unwrap(content) : undefined;
  if (whole) return { ...whole, ...time };
  const headers: Record<string, string> = {};
  const extra: Record<string, string> = {};
  for (const name of Object.keys(table)) {
    const value = table[name];
    const known = wireNames.get(name);
    if (known !== undefined) headers[known] = text(value);
    else if (name.startsWith(AMQP_CE) || name.startsWith(AMQP_CE_TOO))
      headers[CE + name.slice(AMQP_CE.length)] = text(value);
    else if (name.startsWith(own)) extra[name.slice(own.length)] = text(value);
    else if (!brokers.test(name)) headers[name] = text(value);
  }
  if (typeof media === 'string') headers[contentType] = media;
  const id = extra.id ?? (typeof messageId === 'string' && messageId !== '' ? messageId : randomUUID());
  const key = extra.key ?? headers.ce_partitionkey;
  return { message: { id, headers, body: content, ...(key !== undefined && { key }) }, extra, ...time };
}

/** @returns nothing of what is none of ours, whatever it is called */
function unwrap(content: Buffer): FromAmqp | undefined {
  let given: { id?: unknown; key?: unknown; headers?: unknown; body?: unknown; extra?: unknown } | null;
  try {
    given = JSON.parse(content.toString()) as typeof given;
  } catch {
    return undefined;
  }
  const { id, key, headers, body, extra } = given ?? {};
  const isOurs = typeof id === 'string' && typeof body === 'string' && isTexts(headers) && isTexts(extra);
  if (!isOurs || (key !== undefined && typeof key !== 'string')) return undefined;
  return {
    message: { id, headers, body: Buffer.from(body, 'base64'), ...(key !== undefined && { key }) },
    extra,
  };
}

/** Whether it is one of AMQP's short texts. */
function isShort(value: string): boolean {
  // Counted only where it may be too long: a character is 3 bytes at most.
  return value.length * 3 <= shortest || Buffer.byteLength(value) <= shortest;
}

/** Other systems send numbers, lists and tables. */
function text(value: unknown): string {
  if (typeof value === 'string') return value;
  if (Buffer.isBuffer(value)) return value.toString();
  if (typeof value === 'object' && value !== null) return JSON.stringify(value);
  return String(value);
}
