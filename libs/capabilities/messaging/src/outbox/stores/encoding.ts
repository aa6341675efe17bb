import { createHash } from 'node:crypto';
import type { OutgoingMessage, WireMessage } from '../../driver/message.js';

/** Texts of senders become keys of one size, which an index takes whatever they are. */
export function digestOf(...texts: readonly (string | Buffer)[]): Buffer {
  const hash = createHash('sha256');
  for (const [at, text] of texts.entries()) {
    if (at > 0) hash.update('\0');
    hash.update(text);
  }
  return hash.digest();
}

const longest = 500;

/** What of a text can be in a column and its index, to look for it. */
export function searchable(text: string): string {
  return text.slice(0, longest).toWellFormed().replaceAll('\0', '\uFFFD');
}

/** Everything of a message but its body, exactly. */
export function envelopeOf(
  { id, topic, key, headers }: WireMessage,
  kind?: OutgoingMessage['kind'],
  position?: number,
): string {
  return JSON.stringify({ id, topic, key, headers, kind, position });
}

export type Envelope = Pick<OutgoingMessage, 'id' | 'topic' | 'key' | 'headers'> &
  Partial<Pick<OutgoingMessage, 'kind'>>;
