/** What the values of a field are; a list of texts is an enumeration. */
export type FieldType = 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'uuid' | readonly string[];

/** `contains` is a literal part of a text; `like` is a pattern with `%` and `_`. */
export type FilterOperator = 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte' | 'in' | 'like' | 'contains';

/** A field by its type, with the operators that suit the type, or with those that are listed. */
export type FilterField = FieldType | { readonly type: FieldType; readonly operators: readonly FilterOperator[] };

/** What a list may be sorted and filtered by; everything else in `sort` and `filter[…]` is refused. */
export interface PageSpec {
  /** Fields that `sort` may name. @default none */
  readonly sort?: readonly string[];
  /** What the list is sorted by when the request does not say. @default the first of `sort` */
  readonly defaultSort?: string;
  /** @default 'asc' */
  readonly defaultOrder?: 'asc' | 'desc';
  /** Fields that `filter[<field>][<operator>]` may name. @default none */
  readonly filter?: Readonly<Record<string, FilterField>>;
  /** Whether the list can be read by cursor (`after`). @default false */
  readonly cursor?: boolean;
}

const equality: readonly FilterOperator[] = ['eq', 'ne', 'in'];
const ordered: readonly FilterOperator[] = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in'];

export function fieldOf(field: FilterField): { type: FieldType; operators: readonly FilterOperator[] } {
  if (typeof field === 'object' && 'type' in field) return field;
  if (field === 'string') return { type: field, operators: [...equality, 'contains'] };
  if (field === 'boolean') return { type: field, operators: ['eq', 'ne'] };
  if (field === 'uuid' || typeof field === 'object') return { type: field, operators: equality };
  return { type: field, operators: ordered };
}
