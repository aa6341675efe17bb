import type { NatsClient } from '@core-infra/nats';
import type { Entry } from './reading.js';

type Outgoing = Parameters<NatsClient['publish']>[0];

const NO_MESSAGE = 10_037;
/** Left of the largest message for subject and headers, in bytes. */
const HEADROOM = 4_096;
/** At least so much of a message is its own, however large its headers, in bytes. */
const LEAST = 1_024;
/** The header that says in how many messages one is. */
const PARTS = 'x-infra-parts';

export type ParcelQuery =
  | { readonly seq: number }
  | { readonly seq: number; readonly next_by_subj: string }
  | { readonly last_by_subj: string };

export interface Parcel {
  readonly sequence: number;
  readonly subject: string;
  /** Something is under subjects behind its own. */
  readonly hasMore: boolean;
  readonly bytes: Buffer;
}

/** Messages of one stream, however large: what the server does not take in one is in several, `<subject>.1` and so on being the others. */
export class Parcels {
  constructor(
    private readonly client: NatsClient,
    private readonly stream: string,
  ) {}

  /** Resolves with the number of the message under the subject itself, which comes last: it is there when all of it is. */
  async put(
    subject: string,
    bytes: Buffer,
    more: Pick<Outgoing, 'expect'> & { readonly headers?: Readonly<Record<string, string>>; readonly msgId?: string },
    signal: AbortSignal,
  ): Promise<{ readonly sequence: number; readonly parts: number }> {
    const { headers = {}, expect, msgId } = more;
    let overhead = HEADROOM;
    for (const name in headers) overhead += name.length + headers[name]!.length;
    const most = Math.max(LEAST, (this.client.connection.info?.max_payload ?? 1_048_576) - overhead);
    const parts = Math.max(1, Math.ceil(bytes.length / most));
    let sequence = 0;
    for (let part = parts - 1; part >= 0; part -= 1) {
      const { seq } = await this.client.publish(
        {
          subject: part === 0 ? subject : `${subject}.${part}`,
          data: bytes.subarray(part * most, (part + 1) * most),
          ...(msgId !== undefined && { msgId: `${msgId}/${part}` }),
          ...(expect && { expect }),
          ...(part === 0 && { headers: { ...headers, ...(parts > 1 && { [PARTS]: String(parts) }) } }),
        },
        { signal },
      );
      sequence = seq;
    }
    return { sequence, parts };
  }

  async get(query: ParcelQuery): Promise<Parcel | undefined> {
    const raw = await this.find(query);
    return raw && this.whole({ subject: raw.subject, sequence: raw.seq, headers: raw.header, data: raw.data });
  }

  /** A message with all that belongs to it, by the one under the subject itself. */
  async whole({ subject, sequence, headers, data }: Entry): Promise<Parcel> {
    const parts = Number(headers?.get(PARTS) || 1);
    const bytes: Uint8Array[] = [data];
    for (let part = 1; part < parts; part += 1) {
      const more = await this.find({ last_by_subj: `${subject}.${part}` });
      if (more) bytes.push(more.data);
    }
    return { sequence, subject, hasMore: parts > 1, bytes: Buffer.concat(bytes) };
  }

  /** @returns whether it was there */
  async remove({ sequence, subject, hasMore }: Omit<Parcel, 'bytes'>): Promise<boolean> {
    const isRemoved = await this.delete(sequence);
    if (hasMore) await this.removeBehind(subject);
    return isRemoved;
  }

  /** Removes all whose subjects begin with this one, without its own. */
  async removeBehind(subject: string): Promise<void> {
    const manager = await this.client.jetstreamManager();
    await manager.streams.purge(this.stream, { filter: `${subject}.>` });
  }

  private async delete(sequence: number): Promise<boolean> {
    const manager = await this.client.jetstreamManager();
    try {
      return await manager.streams.deleteMessage(this.stream, sequence, false);
    } catch (error) {
      // Somebody else was quicker.
      if (/no message|not found|sequence/i.test((error as Error).message)) return false;
      throw error;
    }
  }

  private async find(query: ParcelQuery) {
    const manager = await this.client.jetstreamManager();
    try {
      return (await manager.streams.getMessage(this.stream, query as never)) ?? undefined;
    } catch (error) {
      if ((error as { code?: number }).code === NO_MESSAGE) return undefined;
      throw error;
    }
  }
}
