import type { Type } from '@nestjs/common';
import { Controller } from '@nestjs/common';
import { Ctx, Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { defineEvent } from '../events/define-event.js';
import type { EventDefinition } from '../events/event-definition.js';
import type { HandlerOptions } from '../handlers/handler.options.js';
import { MessageContext } from '../handlers/message-context.js';
import { Receive, Subscribe } from '../handlers/subscribe.decorator.js';

export class Order {
  @IsString() id!: string;
  @IsInt() at!: number;
}

/** The events of an example, and controllers that handle them. */
export class Orders {
  /** Its key is the order's id. */
  readonly placed: EventDefinition<Order>;
  readonly task: EventDefinition<Order>;
  readonly types: readonly string[];

  constructor(prefix: string) {
    this.placed = defineEvent(`${prefix}.placed`, { schema: Order, key: ({ id }) => id });
    this.task = defineEvent(`${prefix}.task`, { schema: Order });
    this.types = [this.placed.type, this.task.type];
  }

  /** A controller whose handler of `placed` calls back. */
  handler(handle: (order: Order, context: MessageContext) => unknown, options?: HandlerOptions): Type {
    return controllerOf(Subscribe(this.placed, options), handle);
  }

  receiver(handle: (order: Order, context: MessageContext) => unknown, options?: HandlerOptions): Type {
    return controllerOf(Receive(this.task, options), handle);
  }
}

function controllerOf(decorate: MethodDecorator, call: (order: Order, context: MessageContext) => unknown): Type {
  class Handlers {
    async handle(order: Order, context: MessageContext): Promise<unknown> {
      return call(order, context);
    }
  }
  Payload()(Handlers.prototype, 'handle', 0);
  Ctx()(Handlers.prototype, 'handle', 1);
  decorate(Handlers.prototype, 'handle', Object.getOwnPropertyDescriptor(Handlers.prototype, 'handle')!);
  Controller()(Handlers);
  return Handlers;
}
