import { errorMetadata, type InfraError } from '@core-infra/kernel';

/** Where @nestjs/swagger looks. Written as they are, so that the package is not needed where no document is made. */
const OPERATION = 'swagger/apiOperation';
const PARAMETERS = 'swagger/apiParameters';
const RESPONSES = 'swagger/apiResponse';
export const TAGS = 'swagger/apiUseTags';

type ErrorClass = abstract new (...args: never[]) => InfraError;

interface Description {
  readonly summary: string;
  readonly answer: object;
  readonly body?: object;
  /** Takes `If-Match`. */
  readonly conditional?: boolean;
  readonly errors?: readonly ErrorClass[];
}

/** Describes a handler for the OpenAPI document. */
export function Describe({ summary, answer, body, conditional, errors = [] }: Description): MethodDecorator {
  const responses: Record<number, { description: string; content?: object }> = {
    200: { description: summary, content: json(answer) },
  };
  for (const errorClass of errors) {
    const { status = 500, code, summary: when } = errorMetadata(errorClass) ?? {};
    const { description } = responses[status] ?? {};
    responses[status] = { description: [description, `\`${code}\`: ${when}`].filter(Boolean).join('\n\n') };
  }
  const parameters = [
    ...(conditional
      ? [
          {
            in: 'header',
            name: 'If-Match',
            required: false,
            type: String,
            schema: { type: 'string', example: '"7"' },
            description: 'The ETag of what was read; the change is refused if it is no longer the newest.',
          },
        ]
      : []),
    ...(body ? [{ in: 'body', required: true, type: String, schema: body }] : []),
  ];
  return (_target, _key, { value: handler }: PropertyDescriptor) => {
    Reflect.defineMetadata(OPERATION, { summary }, handler as object);
    Reflect.defineMetadata(RESPONSES, responses, handler as object);
    if (parameters.length > 0) Reflect.defineMetadata(PARAMETERS, parameters, handler as object);
  };
}

const json = (schema: object) => ({ 'application/json': { schema } });
const text = { type: 'string' };

export const definitionSchema = {
  type: 'object',
  description: 'A flag as flagd defines it: https://flagd.dev/reference/flag-definitions/',
  required: ['state', 'variants'],
  properties: {
    state: { ...text, enum: ['ENABLED', 'DISABLED'] },
    variants: { type: 'object', additionalProperties: true, example: { on: true, off: false } },
    defaultVariant: { ...text, nullable: true, example: 'off' },
    targeting: { type: 'object', additionalProperties: true },
    metadata: { type: 'object', additionalProperties: true },
  },
};

const orNone = { ...definitionSchema, nullable: true };

export const flagSchema = {
  type: 'object',
  properties: {
    version: { type: 'integer' },
    flag: text,
    source: { ...text, enum: ['store', 'configuration'] },
    definition: definitionSchema,
  },
};

export const flagsSchema = {
  type: 'object',
  properties: {
    version: { type: 'integer' },
    flags: { type: 'array', items: { type: 'object', properties: { ...flagSchema.properties, version: undefined } } },
  },
};

export const editedSchema = {
  type: 'object',
  properties: { version: { type: 'integer' }, flag: text, from: orNone, to: orNone },
};

export const patchSchema = {
  type: 'object',
  description: 'One of them or several, made in this order.',
  properties: {
    state: { ...text, enum: ['ENABLED', 'DISABLED'] },
    defaultVariant: { ...text, description: 'The name of a variant, for whoever no rule decides for.' },
    rollout: { type: 'number', minimum: 0, maximum: 100, description: 'Percentage of users for whom it is on.' },
  },
};

export const historySchema = {
  type: 'object',
  properties: {
    entries: {
      type: 'array',
      description: 'Newest first.',
      items: {
        type: 'object',
        properties: { version: { type: 'integer' }, at: text, by: text, flag: text, from: orNone, to: orNone },
      },
    },
  },
};
