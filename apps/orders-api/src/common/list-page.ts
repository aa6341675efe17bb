import {
  type CursorKey,
  type CursorPageOf,
  cursorPageOf,
  type Filter,
  type PageOf,
  pageOf,
  type PageQuery,
  ValidationFailedError,
} from '@core-infra/http';
import { Brackets, type ObjectLiteral, QueryFailedError, type SelectQueryBuilder } from 'typeorm';

/** Which property of the entity each field of a list is. */
export type Columns<Row> = Readonly<Record<string, keyof Row & string>>;

interface Listed extends ObjectLiteral {
  id: string;
}

const comparisons: Record<string, string> = { eq: '=', ne: '<>', gt: '>', gte: '>=', lt: '<', lte: '<=', like: 'LIKE' };

/**
 * Reads one page of what `rows` selects. Field names come from the list's specification and values go as parameters, so
 * nothing of a request becomes SQL. The id breaks ties, so that no item is shown twice or left out.
 */
export async function listPage<Row extends Listed>(
  rows: SelectQueryBuilder<Row>,
  query: PageQuery,
  columns: Columns<Row>,
): Promise<PageOf<Row> | CursorPageOf<Row>> {
  const column = (field: string): string => `${rows.alias}.${columns[field]!}`;
  const id = `${rows.alias}.id`;
  const direction = query.order === 'asc' ? 'ASC' : 'DESC';
  query.filters.forEach((filter, index) => rows.andWhere(...condition(column(filter.field), filter, `filter${index}`)));
  if (query.sort) rows.orderBy(column(query.sort), direction);
  rows.addOrderBy(id, direction);
  if (query.after !== undefined && query.after !== 'start')
    seek(rows, query.sort && column(query.sort), id, direction, query.after);
  try {
    if (query.after === undefined) {
      const [items, total] = await rows.skip(query.offset).take(query.size).getManyAndCount();
      return pageOf(items, total, query);
    }
    const found = await rows.take(query.size + 1).getMany();
    return cursorPageOf(found, query, row => keyOf(row, query.sort && columns[query.sort]));
  } catch (error) {
    if (!isDataException(error)) throw error;
    // A number beyond the column's type, or a cursor that somebody has written by hand.
    const where = Array.isArray(query.after) ? 'after' : 'filter';
    throw new ValidationFailedError({ [where]: 'has a value that is out of range' });
  }
}

/** Class 22 of PostgreSQL's error codes: a value that does not fit its type. */
function isDataException(error: unknown): boolean {
  return error instanceof QueryFailedError && String((error.driverError as { code?: string }).code).startsWith('22');
}

function condition(column: string, { operator, value }: Filter, name: string): [string, ObjectLiteral] {
  if (operator === 'in') return [`${column} IN (:...${name})`, { [name]: value }];
  if (operator !== 'contains') return [`${column} ${comparisons[operator]!} :${name}`, { [name]: value }];
  const literal = String(value).replace(/[\\%_]/g, '\\$&');
  return [`${column} ILIKE :${name}`, { [name]: `%${literal}%` }];
}

function seek<Row extends Listed>(
  rows: SelectQueryBuilder<Row>,
  sort: string | undefined,
  id: string,
  direction: 'ASC' | 'DESC',
  key: CursorKey,
): void {
  const beyond = direction === 'ASC' ? '>' : '<';
  const [afterSort, afterId] = sort ? key : [undefined, key[0]];
  rows.andWhere(
    new Brackets(where =>
      sort
        ? where.where(`(${sort}, ${id}) ${beyond} (:afterSort, :afterId)`, { afterSort, afterId })
        : where.where(`${id} ${beyond} :afterId`, { afterId }),
    ),
  );
}

function keyOf<Row extends Listed>(row: Row, sort: string | undefined): CursorKey {
  if (!sort) return [row.id];
  const value = row[sort] as CursorKey[number] | Date;
  return [value instanceof Date ? value.toISOString() : value, row.id];
}
