import { IdempotencyKeyRequiredError } from './errors.js';

/**
 * The key that a header holds: a string of RFC 8941 (`"…"`), or the bare text that many clients send.
 * @throws IdempotencyKeyRequiredError for what is no key
 */
export function keyOf(header: string | readonly string[] | undefined): string | undefined {
  if (header === undefined) return undefined;
  const text = typeof header === 'string' ? header.trim() : '';
  const quoted = /^"((?:[\x20-\x21\x23-\x5b\x5d-\x7e]|\\["\\])*)"$/.exec(text)?.[1]?.replaceAll(/\\(.)/g, '$1');
  const key = quoted ?? (/^[\x21\x23-\x2b\x2d-\x7e]+$/.test(text) ? text : undefined);
  if (key === undefined || key.length === 0 || key.length > 255)
    throw new IdempotencyKeyRequiredError('The header Idempotency-Key holds no key of 1 to 255 visible characters.');
  return key;
}
