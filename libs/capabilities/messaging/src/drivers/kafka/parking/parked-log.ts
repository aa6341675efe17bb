import type { KafkaMessage, KafkaRecord } from '@core-infra/kafka';
import { Joiner, pack, partsOf, unpack } from '../parcel.js';

/** What is kept of a message beside its bytes. */
export interface ParkedMeta {
  readonly id: string;
  readonly key: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Its offset in the topic that it was published to; by that a key is in order. */
  readonly position: number;
  readonly time: number;
  readonly attempts: number;
  readonly firstAttemptAt?: number;
  readonly dueAt: number;
  /** For those who look at the topic with other tools. */
  readonly reason: string;
}

/** What is written anew of a message with each attempt. */
export type ParkedState = Pick<Parked, 'attempts' | 'dueAt' | 'firstAttemptAt'>;

/** A message that is parked, as the log has it. */
export interface Parked {
  readonly ticket: string;
  readonly key: string;
  readonly position: number;
  readonly bytes: number;
  /** Keys of the records that are to be removed with it. */
  readonly records: Set<string>;
  /** Offsets of its parts; empty when the broker has not told. */
  readonly offsets: bigint[];
  attempts: number;
  dueAt: number;
  /** Where it is another than it was parked with: what waits behind others is tried later than it is parked. */
  firstAttemptAt?: number | undefined;
  /** Itself, while there is room for it in memory. */
  packed?: Buffer;
}

export interface Claim {
  readonly epoch: number;
  readonly owner: string;
}

const OWNER = 'x-infra-owner';
const PARTS = 'x-infra-parts';

export const claimKey = ({ epoch, owner }: Claim): string => `claim/${epoch}/${owner}`;
export const stateKey = (ticket: string, owner: string): string => `state/${ticket}/${owner}`;

type Draft = Omit<KafkaRecord, 'topic' | 'partition'> & { readonly key: string };

export const claimRecord = (claim: Claim): Draft => ({ key: claimKey(claim), value: Buffer.alloc(0) });

export const removal = (key: string): Draft => ({ key, value: null });

export function stateRecord(ticket: string, owner: string, { attempts, dueAt, firstAttemptAt }: ParkedState): Draft {
  return {
    key: stateKey(ticket, owner),
    value: JSON.stringify({ attempts, dueAt, firstAttemptAt }),
    headers: { [OWNER]: owner },
  };
}

export function messageRecords(ticket: string, owner: string, packed: Buffer): Draft[] {
  const parts = partsOf(packed);
  return parts.map((value, part) => ({
    key: `message/${ticket}/${part}`,
    value,
    headers: { [OWNER]: owner, [PARTS]: String(parts.length) },
  }));
}

export const packed = (meta: ParkedMeta, body: Buffer): Buffer => pack(meta, body);
export const unpacked = (bytes: Buffer) => unpack<ParkedMeta>(bytes);

/**
 * What the log of a partition says, read from its beginning. Each owner of the partition claims it; what another writes after that is nothing,
 * as it was written by one that did not know yet that it had lost the partition.
 */
export class ParkedLog {
  readonly messages = new Map<string, Parked>();
  /** Keys of records that count for nothing, and are to be removed. */
  readonly stale = new Set<string>();
  claim?: Claim;
  private readonly joiner = new Joiner();
  private readonly parts = new Map<string, { records: Set<string>; offsets: bigint[] }>();

  take(record: KafkaMessage): void {
    const key = record.key?.toString() ?? '';
    const [kind, name = '', more = ''] = key.split('/', 3);
    if (kind === 'claim') this.takeClaim(key, { epoch: Number(name), owner: more }, record);
    else if (kind === 'message') this.takeMessage(key, name, Number(more), record);
    else if (kind === 'state') this.takeState(key, name, record);
  }

  private takeClaim(key: string, claim: Claim, { value }: KafkaMessage): void {
    if (!value) {
      this.stale.delete(key);
      return;
    }
    const { claim: present } = this;
    const isSame = present?.epoch === claim.epoch && present.owner === claim.owner;
    if (isSame) return;
    if (present && claim.epoch <= present.epoch) {
      this.stale.add(key);
      return;
    }
    if (present) this.stale.add(claimKey(present));
    this.claim = claim;
  }

  private takeMessage(key: string, ticket: string, part: number, record: KafkaMessage): void {
    const { value, offset, headers } = record;
    if (!value) {
      this.stale.delete(key);
      this.messages.delete(ticket);
      return;
    }
    if (!this.counts(key, record) || this.messages.has(ticket)) return;
    let found = this.parts.get(ticket);
    if (!found || part === 0) this.parts.set(ticket, (found = { records: new Set(), offsets: [] }));
    found.records.add(key);
    found.offsets[part] = offset;
    const whole = this.joiner.add(ticket, part, Number(text(headers[PARTS])) || 1, value);
    if (!whole) return;
    this.parts.delete(ticket);
    this.messages.set(ticket, parkedOf(ticket, whole, found.records, found.offsets));
  }

  private takeState(key: string, ticket: string, record: KafkaMessage): void {
    if (!record.value) {
      this.stale.delete(key);
      return;
    }
    if (!this.counts(key, record)) return;
    const found = this.messages.get(ticket);
    if (!found) {
      this.stale.add(key);
      return;
    }
    found.records.add(key);
    const { attempts, dueAt, firstAttemptAt } = JSON.parse(record.value.toString()) as ParkedState;
    if (attempts < found.attempts) return;
    found.attempts = attempts;
    found.dueAt = dueAt;
    if (firstAttemptAt !== undefined) found.firstAttemptAt = firstAttemptAt;
  }

  /** Before the first claim that is left, everything does. */
  private counts(key: string, { headers }: KafkaMessage): boolean {
    if (!this.claim || text(headers[OWNER]) === this.claim.owner) return true;
    this.stale.add(key);
    return false;
  }
}

export function parkedOf(ticket: string, bytes: Buffer, records: Set<string>, offsets: bigint[]): Parked {
  const { meta } = unpacked(bytes);
  const { key, position, attempts, dueAt } = meta;
  return { ticket, key, position, bytes: bytes.length, records, offsets, attempts, dueAt, packed: bytes };
}

function text(header: KafkaMessage['headers'][string]): string {
  return Array.isArray(header) ? '' : (header?.toString() ?? '');
}
