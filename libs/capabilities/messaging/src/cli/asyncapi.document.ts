import type { EventDefinition } from '../events/event-definition.js';
import type { DeclaredHandler } from '../handlers/declared-handlers.js';
import type { KnownEvents } from './asyncapi.events.js';
import { classSchemaOf, type JsonSchema } from './asyncapi.schema.js';

const text = { type: 'string' };

/** The attributes of an event, as this project writes them. */
const attributes: Readonly<Record<string, JsonSchema>> = {
  specversion: { const: '1.0' },
  id: { ...text, minLength: 1 },
  source: { ...text, format: 'uri-reference', minLength: 1 },
  type: text,
  time: { ...text, format: 'date-time' },
  dataversion: { ...text, pattern: '^[1-9][0-9]*$' },
  subject: text,
  partitionkey: text,
  correlationid: text,
  causationid: text,
  traceparent: text,
  tracestate: text,
};
const required = ['specversion', 'id', 'source', 'type'];

/** The app's channels, messages and operations, as AsyncAPI 3.0. */
export function asyncApiOf(
  events: KnownEvents,
  info: { readonly title: string; readonly version: string },
): JsonSchema {
  const { definitions, handlers, routes, config } = events;
  const channels: Record<string, { address: string; messages: Record<string, JsonSchema> }> = {};
  const operations: Record<string, JsonSchema> = {};
  const schemas: Record<string, JsonSchema> = {};
  const messages: Record<string, JsonSchema> = {};
  const types = new Set([...definitions.map(({ type }) => type), ...handlers.map(({ type }) => type)]);
  for (const type of [...types].toSorted()) {
    const topic = routes.topicOf(type);
    channels[topic] ??= { address: topic, messages: {} };
    channels[topic].messages[type] = { $ref: `#/components/messages/${type}` };
    const definition = definitions.find(known => known.type === type);
    messages[type] = messageOf(type, definition, events, schemas);
  }
  const operation = (type: string, action: string): Record<string, unknown> => ({
    action,
    channel: { $ref: `#/channels/${routes.topicOf(type)}` },
    messages: [{ $ref: `#/channels/${routes.topicOf(type)}/messages/${type}` }],
  });
  for (const handler of handlers)
    operations[`${handler.name}.${handler.type}`] = {
      ...operation(handler.type, 'receive'),
      summary: `Handled ${whoOf(handler, routes.groupOf(handler.type))}.`,
    };
  for (const { type } of config.events) operations[`publish.${type}`] = operation(type, 'send');
  return {
    asyncapi: '3.0.0',
    info,
    defaultContentType: 'application/json',
    channels,
    operations,
    components: { messages, schemas },
  };
}

function whoOf({ extras: { queue, group } }: DeclaredHandler, byDefault: string): string {
  return queue ? 'by one receiver of all' : `once by the group "${group ?? byDefault}"`;
}

function messageOf(
  type: string,
  definition: EventDefinition | undefined,
  { routes, config }: KnownEvents,
  schemas: Record<string, JsonSchema>,
): JsonSchema {
  const isBytes = (definition?.schema as unknown) === Buffer;
  const data = definition && !isBytes ? dataOf(definition, schemas) : {};
  const codec = routes.codecNameOf(type);
  const properties = {
    ...attributes,
    type: { const: type },
    ...(definition && { dataversion: { const: String(definition.version) } }),
  };
  const named = { name: type, title: definition ? `${type}, version ${definition.version}` : type };
  const contentType = isBytes || codec === 'raw' ? 'application/octet-stream' : 'application/json';
  if (codec !== 'cloudevents') return { ...named, contentType, payload: data };
  if (config.contentMode === 'structured')
    return {
      ...named,
      contentType: 'application/cloudevents+json',
      payload: {
        type: 'object',
        required,
        properties: { ...properties, ...(isBytes ? { data_base64: text } : { data }) },
      },
    };
  const headers = Object.fromEntries(Object.entries(properties).map(([name, schema]) => [`ce_${name}`, schema]));
  return {
    ...named,
    contentType,
    headers: { type: 'object', required: required.map(name => `ce_${name}`), properties: headers },
    payload: data,
  };
}

/** Puts the classes of an event among the document's schemas. */
function dataOf(definition: EventDefinition, schemas: Record<string, JsonSchema>): JsonSchema {
  const { type, schema } = definition;
  const prefix = `${type}.`;
  const found = classSchemaOf(definition, `#/components/schemas/${prefix}`);
  schemas[prefix + schema.name] = found.schema;
  for (const [name, nested] of Object.entries(found.nested)) schemas[prefix + name] = nested;
  return { $ref: `#/components/schemas/${prefix}${schema.name}` };
}
