import { BadEventDefinitionError } from '../errors.js';
import type { EventDefinition, EventOptions } from './event-definition.js';

/**
 * Defines a type of events.
 *
 * ```ts no-check
 * export const orderPlaced = defineEvent('orders.placed', { version: 2, schema: OrderPlaced, key: order => order.id, upcast: { 1: fromV1 } });
 * await events.publish(orderPlaced.of({ id, total }));
 * ```
 * @throws BadEventDefinitionError
 */
export function defineEvent<Data extends object>(type: string, options: EventOptions<Data>): EventDefinition<Data> {
  const { version = 1, schema, upcast = {}, key } = options;
  if (!/^[\w.-]{1,200}$/.test(type))
    throw new BadEventDefinitionError(type, 'its type must consist of letters, digits, dots, dashes and underscores');
  if (!Number.isSafeInteger(version) || version < 1)
    throw new BadEventDefinitionError(type, `its version must be a whole number from 1, and is ${version}`);
  for (const from of Object.keys(upcast).map(Number))
    if (!Number.isSafeInteger(from) || from < 1 || from >= version)
      throw new BadEventDefinitionError(type, `upcast ${from} leads to no version up to ${version}`);
  const definition: EventDefinition<Data> = {
    type,
    version,
    schema,
    upcast,
    ...(key && { key: data => key(data) }),
    of: (data, attributes = {}) => ({ ...attributes, definition, data }),
  };
  return Object.freeze(definition);
}
