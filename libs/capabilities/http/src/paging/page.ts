import { encodeCursor } from './cursor.js';
import type { CursorKey, PageQuery } from './page-query.js';

/** A list's answer by page number. */
export interface PageOf<T> {
  readonly items: readonly T[];
  /** Counted from 1. */
  readonly page: number;
  readonly size: number;
  /** Items on all pages. */
  readonly total: number;
  readonly pages: number;
}

/** A list's answer by cursor. */
export interface CursorPageOf<T> {
  readonly items: readonly T[];
  readonly size: number;
  /** What to hand in as `after` for the next page; `null` on the last one. */
  readonly next: string | null;
}

export function pageOf<T>(items: readonly T[], total: number, { page, size }: PageQuery): PageOf<T> {
  return { items, page, size, total, pages: Math.ceil(total / size) };
}

/**
 * @param rows up to `size + 1` of them: the one too many tells that there is a next page, and is not returned
 * @param keyOf what the list is sorted by, in that order, ending with something unique
 */
export function cursorPageOf<T>(rows: readonly T[], query: PageQuery, keyOf: (row: T) => CursorKey): CursorPageOf<T> {
  const items = rows.slice(0, query.size);
  const last = items.at(-1);
  return {
    items,
    size: query.size,
    next: last !== undefined && rows.length > query.size ? encodeCursor(keyOf(last), query) : null,
  };
}
