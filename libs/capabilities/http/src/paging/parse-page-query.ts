import { ValidationFailedError } from '../errors.js';
import { decodeCursor } from './cursor.js';
import { filterValue } from './filter-value.js';
import { type Filter, PageQuery } from './page-query.js';
import { fieldOf, type FilterOperator, type PageSpec } from './page-spec.js';

export interface PageLimits {
  readonly size: number;
  readonly maxSize: number;
  /** Items. */
  readonly maxOffset: number;
}

const MAX_FILTERS = 20;
const MAX_LIST = 100;
const filterKey = /^filter\[([^[\]]+)\](?:\[([^[\]]+)\])?$/;

/**
 * Reads `page`, `size`, `sort`, `order`, `after` and `filter[…][…]` from a query string. It is parsed here, because Express and Fastify
 * make different objects of the same brackets. Other parameters are the handler's own and are not looked at.
 * @throws ValidationFailedError with every parameter that is wrong
 */
export function parsePageQuery(search: string, spec: PageSpec, limits: PageLimits, status?: number): PageQuery {
  const errors: Record<string, string> = {};
  const params = new URLSearchParams(search);
  const single = (name: string): string | undefined => {
    const values = params.getAll(name);
    if (values.length > 1) errors[name] = 'must be given once';
    return values[0];
  };
  const size = integer('size', single('size'), limits.size, limits.maxSize, errors);
  const after = single('after');
  const pageText = single('page');
  const page = integer('page', pageText, 1, Number.MAX_SAFE_INTEGER, errors);
  if (after !== undefined && !spec.cursor) errors['after'] = 'is not supported by this list';
  else if (after !== undefined && pageText !== undefined) errors['after'] = 'must not be given together with page';
  if (!errors['page'] && (page - 1) * size > limits.maxOffset)
    errors['page'] =
      `must not skip more than ${limits.maxOffset} items${spec.cursor ? '; read on by cursor (after)' : ''}`;
  const ordering = { sort: sortOf(single('sort'), spec, errors), order: orderOf(single('order'), spec, errors) };
  const filters = filtersOf(params, spec, errors);
  const cursor = after && !errors['after'] ? decodeCursor(after, ordering) : undefined;
  if (after && !errors['after'] && !cursor)
    errors['after'] = 'must be the cursor of an answer with the same sort and order';
  if (Object.keys(errors).length > 0) throw new ValidationFailedError(errors, status);
  return new PageQuery({ page, size, ...ordering, filters, after: after === '' ? 'start' : cursor });
}

function integer(
  name: string,
  text: string | undefined,
  otherwise: number,
  max: number,
  errors: Record<string, string>,
): number {
  if (text === undefined) return otherwise;
  const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
  if (value >= 1 && value <= max) return value;
  errors[name] = value > max ? `must not be greater than ${max}` : 'must be a positive integer';
  return otherwise;
}

function sortOf(text: string | undefined, spec: PageSpec, errors: Record<string, string>): string | undefined {
  const allowed = spec.sort ?? [];
  if (text === undefined) return spec.defaultSort ?? allowed[0];
  if (!allowed.includes(text))
    errors['sort'] = allowed.length ? `must be one of: ${allowed.join(', ')}` : 'is not supported by this list';
  return text;
}

function orderOf(text: string | undefined, spec: PageSpec, errors: Record<string, string>): 'asc' | 'desc' {
  if (text === undefined) return spec.defaultOrder ?? 'asc';
  if (text !== 'asc' && text !== 'desc') errors['order'] = 'must be asc or desc';
  return text as 'asc' | 'desc';
}

function filtersOf(params: URLSearchParams, spec: PageSpec, errors: Record<string, string>): Filter[] {
  const filters = new Map<string, Filter>();
  for (const [key, text] of params) {
    if (!key.startsWith('filter')) continue;
    const [, name, operator = 'eq'] = filterKey.exec(key) ?? [];
    if (!name) {
      errors[key.slice(0, 100)] = 'must be written filter[<field>][<operator>]';
      continue;
    }
    const error = addFilter(filters, name, operator, text, spec);
    if (error) errors[key.slice(0, 100)] = error;
  }
  return [...filters.values()];
}

/** @returns what is wrong with it */
function addFilter(
  filters: Map<string, Filter>,
  name: string,
  operator: string,
  text: string,
  spec: PageSpec,
): string | undefined {
  const allowed = Object.keys(spec.filter ?? {});
  const declared = allowed.includes(name) ? spec.filter![name] : undefined;
  if (!declared) return allowed.length ? `must name one of: ${allowed.join(', ')}` : 'is not supported by this list';
  const { type, operators } = fieldOf(declared);
  if (!operators.includes(operator as FilterOperator)) return `must use one of: ${operators.join(', ')}`;
  if (filters.has(`${name} ${operator}`)) return 'must be given once';
  if (filters.size >= MAX_FILTERS) return `must be one of at most ${MAX_FILTERS} filters`;
  const texts = operator === 'in' ? text.split(',') : [text];
  if (texts.length > MAX_LIST) return `must list at most ${MAX_LIST} values`;
  try {
    const values = texts.map(part => filterValue(part, type));
    filters.set(`${name} ${operator}`, {
      field: name,
      operator: operator as FilterOperator,
      value: operator === 'in' ? values : values[0]!,
    });
    return undefined;
  } catch (error) {
    return (error as TypeError).message;
  }
}
