import type { FilterOperator } from './page-spec.js';

export type FilterValue = string | number | boolean | Date;

/** One condition of a list; all of them hold together. */
export interface Filter {
  readonly field: string;
  readonly operator: FilterOperator;
  /** Of the field's type; a list for `in`. */
  readonly value: FilterValue | readonly FilterValue[];
}

/** What a cursor stands for: the sort values of the item that the page comes after. */
export type CursorKey = readonly (string | number | boolean | null)[];

/** Which part of a list is wanted, checked against the list's {@link PageSpec}. */
export class PageQuery {
  /** Counted from 1. */
  readonly page: number;
  readonly size: number;
  /** A field of the spec; `undefined` only when the spec names none. */
  readonly sort: string | undefined;
  readonly order: 'asc' | 'desc';
  readonly filters: readonly Filter[];
  /** Reading by cursor: `'start'`, or what the last page ended with; `undefined` when reading by page number. */
  readonly after: CursorKey | 'start' | undefined;

  constructor(fields: Partial<Omit<PageQuery, 'offset'>> & { size: number }) {
    this.page = fields.page ?? 1;
    this.size = fields.size;
    this.sort = fields.sort;
    this.order = fields.order ?? 'asc';
    this.filters = fields.filters ?? [];
    this.after = fields.after;
  }

  /** How many items come before the page. */
  get offset(): number {
    return (this.page - 1) * this.size;
  }
}
