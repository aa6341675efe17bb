import type { FilterValue } from './page-query.js';
import type { FieldType } from './page-spec.js';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const isoDate = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;
const decimal = /^-?\d{1,17}(\.\d{1,17})?$/;
const maxLength = 200;

/** A text of the query as a value of the field's type. @throws TypeError whose message says what was expected */
export function filterValue(text: string, type: FieldType): FilterValue {
  if (typeof type === 'object') return type.includes(text) ? text : fail(`one of: ${type.join(', ')}`);
  switch (type) {
    case 'string':
      return text.length <= maxLength && !text.includes('\0') ? text : fail(`at most ${maxLength} characters`);
    case 'uuid':
      return uuid.test(text) ? text : fail('a UUID');
    case 'boolean':
      return text === 'true' || text === 'false' ? text === 'true' : fail('true or false');
    case 'integer':
      return /^-?\d+$/.test(text) && Number.isSafeInteger(Number(text)) ? Number(text) : fail('an integer');
    case 'number':
      return decimal.test(text) ? Number(text) : fail('a number');
    case 'date':
      return isoDate.test(text) && isCalendarDate(text)
        ? new Date(text)
        : fail('an ISO 8601 date or time with its zone');
  }
}

/** `new Date` takes the 31st of February for the 3rd of March. */
function isCalendarDate(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number) as [number, number, number];
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day && !Number.isNaN(Date.parse(text));
}

function fail(expected: string): never {
  throw new TypeError(`must be ${expected}`);
}
