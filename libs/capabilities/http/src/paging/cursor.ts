import type { CursorKey, PageQuery } from './page-query.js';

type Ordering = Pick<PageQuery, 'sort' | 'order'>;

/** An opaque text for `after`. It carries the ordering, since a position means nothing in another one. */
export function encodeCursor(key: CursorKey, { sort, order }: Ordering): string {
  return Buffer.from(JSON.stringify([sort ?? '', order, ...key])).toString('base64url');
}

/** @returns `undefined` when the text is no cursor of this ordering */
export function decodeCursor(text: string, { sort, order }: Ordering): CursorKey | undefined {
  if (text.length > 2_000 || !/^[\w-]+$/.test(text)) return undefined;
  let parts: unknown;
  try {
    parts = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch {
    return undefined; // not one of ours; the caller is told so
  }
  if (!Array.isArray(parts) || parts[0] !== (sort ?? '') || parts[1] !== order) return undefined;
  const key = parts.slice(2) as unknown[];
  const scalar = (value: unknown) => value === null || ['string', 'number', 'boolean'].includes(typeof value);
  return key.length > 0 && key.length <= 8 && key.every(scalar) ? (key as CursorKey) : undefined;
}
