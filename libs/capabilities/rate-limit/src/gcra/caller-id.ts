import { hash } from 'node:crypto';

/** Short, and harmless in a key between braces, in a terminal and in a log of commands. */
const PLAIN = /^[\w.:@/-]{1,64}$/;

/** A caller's key as stores see it: itself where it is short and plain, else a hash of it, which no plain key looks like. */
export function callerId(key: string): string {
  return PLAIN.test(key) ? key : `#${hash('sha256', Buffer.from(key, 'utf16le'), 'base64url')}`;
}
