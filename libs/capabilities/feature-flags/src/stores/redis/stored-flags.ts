import { ErrorSpec, InfraError } from '@core-infra/kernel';
import type { FlagDocument } from '../../flag-document.js';
import type { KeptFlags } from '../../snapshot/snapshot.file.js';

/** Tells one state of the store from another, hand edits included. */
export interface Seen {
  readonly revision: string;
  /** Of the document, in bytes, as Redis counts. */
  readonly length: number;
}

/** What the read script answers, before the document is looked at. */
export type Found = 'nothing' | 'same' | FoundFlags;

export interface FoundFlags {
  readonly version: string;
  readonly revision: string;
  readonly text: string;
}

/** Makes a document of a text. @throws InfraError with the place of what is wrong */
export type Parse = (text: string) => FlagDocument;

@ErrorSpec({
  code: 'INFRA_FLAGS_STORED',
  summary: 'What Redis holds under the key of the flags is not what this package writes there.',
})
export class StoredFlagsError extends InfraError {
  constructor(
    readonly key: string,
    problem: string,
    options?: ErrorOptions,
  ) {
    super(
      `The key ${key} in Redis ${problem}.`,
      'Correct it by hand, or delete it: a process that runs puts the last good flags back.',
      options,
    );
  }
}

export const nothingSeen: Seen = { revision: '', length: -1 };

export function seenOf({ revision, text }: { revision: string; text: string }): Seen {
  return { revision, length: Buffer.byteLength(text) };
}

export function foundIn(reply: unknown): Found {
  const [version = '', revision, text = ''] = reply as string[];
  if ((reply as string[]).length === 0) return 'nothing';
  return revision === undefined ? 'same' : { version, revision, text };
}

/** @throws StoredFlagsError, or what `parse` throws */
export function flagsOf(key: string, { version, revision, text }: FoundFlags, parse: Parse): KeptFlags {
  const number = Number(version);
  if (!Number.isSafeInteger(number) || number < 1) throw new StoredFlagsError(key, 'has a "version" that is no number');
  return { version: number, revision, text, document: parse(text) };
}
