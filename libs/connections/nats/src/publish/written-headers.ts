import { PubHeaders, type ScheduleOptions } from '@nats-io/jetstream';
import { errors, MsgHdrsImpl } from '@nats-io/transport-node';
import type { NatsOutgoing } from './outgoing.js';

const validName = /^[\x21-\x39\x3b-\x7e]+$/;
const lineEnd = /[\r\n]/;

/** Headers in the bytes that are sent: the client library looks through all that are there for each that is added. */
export class WrittenHeaders extends MsgHdrsImpl {
  private readonly bytes: Uint8Array;

  /** @throws InvalidArgumentError of the client library, for a name or a value that cannot be a header's */
  constructor({ headers, expect, ttlMs, schedule }: NatsOutgoing, msgId: string) {
    super();
    const own: Record<string, string> = { [PubHeaders.MsgIdHdr]: msgId };
    if (expect) expectIn(own, expect);
    if (ttlMs !== undefined) own[PubHeaders.MessageTTL] = `${Math.ceil(ttlMs / 1_000)}s`;
    if (schedule) scheduleIn(own, schedule);
    let text = 'NATS/1.0\r\n';
    for (const name in own) text += line(name, own[name]!);
    if (headers)
      for (const [name, value] of isIterable(headers) ? headers : Object.entries(headers))
        if (Object.hasOwn(own, name)) continue;
        else if (typeof value === 'string') text += line(name, value);
        else for (const each of value) text += line(name, each);
    this.bytes = Buffer.from(`${text}\r\n`);
  }

  get byteLength(): number {
    return this.bytes.length;
  }

  override encode(): Uint8Array {
    return this.bytes;
  }
}

function line(name: string, value: string): string {
  if (!validName.test(name)) throw new errors.InvalidArgumentError(`'${name}' is no name of a header`);
  if (lineEnd.test(value))
    throw new errors.InvalidArgumentError(`the value of the header '${name}' cannot have more than one line`);
  return `${name}: ${value.trim()}\r\n`;
}

function expectIn(own: Record<string, string>, expect: NonNullable<NatsOutgoing['expect']>): void {
  const { lastMsgID, streamName, lastSequence, lastSubjectSequence, lastSubjectSequenceSubject } = expect;
  if (lastMsgID) own[PubHeaders.ExpectedLastMsgIdHdr] = lastMsgID;
  if (streamName) own[PubHeaders.ExpectedStreamHdr] = streamName;
  if (lastSequence !== undefined) own[PubHeaders.ExpectedLastSeqHdr] = String(lastSequence);
  if (lastSubjectSequence !== undefined) own[PubHeaders.ExpectedLastSubjectSequenceHdr] = String(lastSubjectSequence);
  if (lastSubjectSequenceSubject) own[PubHeaders.ExpectedLastSubjectSequenceSubjectHdr] = lastSubjectSequenceSubject;
}

function scheduleIn(own: Record<string, string>, schedule: ScheduleOptions): void {
  const { specification, target, source, ttl, timezone, rollup } = schedule;
  own[PubHeaders.Schedule] = timesOf(specification);
  own[PubHeaders.ScheduleTarget] = target;
  if (source) own[PubHeaders.ScheduleSource] = source;
  if (ttl) own[PubHeaders.ScheduleTTL] = ttl;
  if (timezone) own[PubHeaders.ScheduleTimeZone] = timezone;
  if (rollup) own[PubHeaders.ScheduleRollup] = rollup;
}

function timesOf(specification: ScheduleOptions['specification']): string {
  if (typeof specification === 'string') return specification;
  if (specification instanceof Date) return `@at ${specification.toISOString()}`;
  if ('at' in specification) {
    const { at } = specification;
    return `@at ${typeof at === 'string' ? at : at.toISOString()}`;
  }
  if ('every' in specification) return `@every ${specification.every}`;
  return 'cron' in specification ? specification.cron : specification.predefined;
}

function isIterable(given: object): given is Iterable<[string, string[]]> {
  return Symbol.iterator in given;
}
