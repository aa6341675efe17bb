import { applyDecorators } from '@nestjs/common';
import { EventPattern } from '@nestjs/microservices';
import type { EventDefinition } from '../events/event-definition.js';
import type { HandlerExtras, HandlerOptions } from './handler.options.js';

/** Tells our strategy from Nest's own transports, which leave these handlers alone. */
export const MESSAGING_TRANSPORT: unique symbol = Symbol.for('core-infra:messaging');

/**
 * A method of a controller that handles the events of a type: `@EventPattern` with how it is fed.
 *
 * ```ts no-check
 * @Subscribe(orderPlaced, { group: 'stock', concurrency: 8 })
 * async reserve(@Payload() order: OrderPlaced, @Ctx() context: MessageContext): Promise<void> {}
 * ```
 * @param event its definition, or its type; without a definition the data is not checked
 */
export function Subscribe(event: EventDefinition | string, options: HandlerOptions = {}): MethodDecorator {
  return handles(event, options);
}

/** A method of a controller that receives the tasks of a work queue: what `EventBus.send` puts there, each handled once in all. */
export function Receive(event: EventDefinition | string, options: Omit<HandlerOptions, 'group'> = {}): MethodDecorator {
  return handles(event, { ...options, queue: true });
}

function handles(event: EventDefinition | string, extras: HandlerExtras): MethodDecorator {
  const type = typeof event === 'string' ? event : event.type;
  const all: HandlerExtras = typeof event === 'string' ? extras : { ...extras, definition: event };
  return applyDecorators(EventPattern(type, MESSAGING_TRANSPORT, all as Record<string, unknown>) as MethodDecorator);
}
