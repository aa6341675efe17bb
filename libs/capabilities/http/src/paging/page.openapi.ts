import { type FieldType, fieldOf, type PageSpec } from './page-spec.js';

/** Where @nestjs/swagger looks for the parameters of a handler. Written as it is, so that the package is not loaded where the page is off. */
const API_PARAMETERS = 'swagger/apiParameters';

interface Parameter {
  name: string;
  in: 'query';
  required: false;
  description?: string;
  schema: Record<string, unknown>;
}

/** Puts the parameters of a list into the OpenAPI document. */
export function describePage(target: object, method: string | symbol, spec: PageSpec): void {
  const handler = (target as Record<string | symbol, object>)[method]!;
  const others = (Reflect.getMetadata(API_PARAMETERS, handler) ?? []) as unknown[];
  Reflect.defineMetadata(API_PARAMETERS, [...others, ...parametersOf(spec)], handler);
}

function parametersOf({ sort = [], defaultSort, defaultOrder, filter = {}, cursor }: PageSpec): Parameter[] {
  return [
    parameter('page', { type: 'integer', minimum: 1, default: 1 }),
    parameter('size', { type: 'integer', minimum: 1 }),
    ...(sort.length ? [parameter('sort', { type: 'string', enum: sort, default: defaultSort ?? sort[0] })] : []),
    ...(sort.length
      ? [parameter('order', { type: 'string', enum: ['asc', 'desc'], default: defaultOrder ?? 'asc' })]
      : []),
    ...(cursor
      ? [
          parameter(
            'after',
            { type: 'string' },
            'Reads by cursor instead of page: empty for the first part, then `next` of each answer.',
          ),
        ]
      : []),
    ...Object.entries(filter).flatMap(([name, declared]) => {
      const { type, operators } = fieldOf(declared);
      return operators.map(operator =>
        operator === 'in'
          ? parameter(`filter[${name}][in]`, { type: 'string' }, 'Several values, separated by commas.')
          : parameter(`filter[${name}][${operator}]`, schemaOf(type)),
      );
    }),
  ];
}

function parameter(name: string, schema: Record<string, unknown>, description?: string): Parameter {
  return { name, in: 'query', required: false, ...(description && { description }), schema };
}

function schemaOf(type: FieldType): Record<string, unknown> {
  if (typeof type === 'object') return { type: 'string', enum: type };
  if (type === 'date') return { type: 'string', format: 'date-time' };
  return type === 'uuid' ? { type: 'string', format: 'uuid' } : { type };
}
