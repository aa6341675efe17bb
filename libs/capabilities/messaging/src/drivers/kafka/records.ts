import { isUtf8 } from 'node:buffer';
import type { KafkaMessage, KafkaRecord } from '@core-infra/kafka';
import type { GroupMessage } from '../../driver/message-driver.js';
import type { ReceivedMessage, WireMessage } from '../../driver/message.js';

/** Headers of the driver's own, in the topics of retries alone. */
const own = {
  id: 'x-infra-id',
  attempts: 'x-infra-attempts',
  firstAttemptAt: 'x-infra-first-attempt',
  notBefore: 'x-infra-not-before',
} as const;
const ownNames = new Set<string>(Object.values(own));

/** Retries come in partitions of their own, which are counted from here: nothing else of their topic has such numbers. */
export const FIRST_RETRY_PARTITION = 1_000_000;

export function recordOf({ topic, key, headers, body }: WireMessage): KafkaRecord {
  return { topic, key: key ?? null, value: body, headers };
}

/** A message for the topic of a group's retries. */
export function retryRecordOf(message: GroupMessage, topic: string): KafkaRecord {
  const { id, headers, attempts, firstAttemptAt, notBefore } = message;
  return {
    ...recordOf(message),
    topic,
    headers: {
      ...headers,
      [own.id]: id,
      [own.attempts]: String(attempts),
      [own.firstAttemptAt]: String(Math.round(firstAttemptAt)),
      ...(notBefore !== undefined && { [own.notBefore]: String(Math.round(notBefore)) }),
    },
  };
}

type Mutable<Type> = { -readonly [Name in keyof Type]: Type[Name] };

/** A record as a message, whoever wrote it. */
export function messageOf(topic: string, partition: number, record: KafkaMessage, mark: unknown): ReceivedMessage {
  const headers = headersOf(record.headers);
  const { key, value, offset, timestamp } = record;
  const message: Mutable<ReceivedMessage> = {
    id: headers['ce_id'] ?? `${topic}/${partition}/${offset}`,
    topic,
    headers,
    body: value ?? nothing,
    partition,
    position: Number(offset),
    time: timestamp,
    attempts: 0,
    mark,
  };
  if (key !== null) message.key = textOf(key);
  return message;
}

/** A record of a topic of retries, as the message that it was. */
export function retryOf(topic: string, partition: number, record: KafkaMessage, mark: unknown): ReceivedMessage {
  const message = messageOf(topic, partition + FIRST_RETRY_PARTITION, record, mark);
  const firstAttemptAt = numberOf(message.headers[own.firstAttemptAt]);
  const notBefore = numberOf(message.headers[own.notBefore]);
  return {
    ...message,
    id: message.headers[own.id] ?? message.id,
    headers: Object.fromEntries(Object.entries(message.headers).filter(([name]) => !ownNames.has(name))),
    attempts: numberOf(message.headers[own.attempts]) ?? 0,
    redelivered: true,
    ...(firstAttemptAt !== undefined && { firstAttemptAt }),
    ...(notBefore !== undefined && { notBefore }),
  };
}

/** How much of a process's memory a record takes, as far as its bytes go. */
export function bytesOf({ key, value, headers }: KafkaMessage): number {
  let bytes = 100 + (key?.length ?? 0) + (value?.length ?? 0);
  for (const name in headers) {
    const values = headers[name];
    if (!Array.isArray(values)) bytes += name.length + (values?.length ?? 0);
    else for (const each of values) bytes += name.length + each.length;
  }
  return bytes;
}

const nothing = Buffer.alloc(0);

/** Several values of one name are a list, with commas as in HTTP; one without a value is empty. */
function headersOf(given: KafkaMessage['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const name in given) {
    const value = given[name];
    const text = Array.isArray(value) ? value.map(each => headerText(each)).join(', ') : headerText(value);
    if (name === '__proto__') Object.defineProperty(headers, name, { value: text, enumerable: true });
    else headers[name] = text;
  }
  return headers;
}

function headerText(value: Buffer | string | null | undefined): string {
  return typeof value === 'string' ? value : (value?.toString() ?? '');
}

/** Keys of other systems may be any bytes; different ones stay different. */
function textOf(key: Buffer): string {
  return key.toString(isUtf8(key) ? 'utf8' : 'latin1');
}

function numberOf(text: string | undefined): number | undefined {
  if (text === undefined || !/^\d{1,15}$/.test(text)) return undefined;
  return Number(text);
}
