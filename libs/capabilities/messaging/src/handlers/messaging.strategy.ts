import { type CustomTransportStrategy, type MessageHandler, Server } from '@nestjs/microservices';
import { connectionToken } from '@core-infra/kernel';
import { isObservable, lastValueFrom } from 'rxjs';
import type { MessagingHub } from '../bus/messaging-hub.js';
import { GroupMember } from '../consume/group-member.js';
import { HandlerConflictError } from '../errors.js';
import { type Handler, handlerOf } from './handler.js';
import type { HandlerExtras } from './handler.options.js';
import { MESSAGING_TRANSPORT } from './subscribe.decorator.js';

/** Serves Nest's event handlers from the groups that they name. */
export class MessagingStrategy extends Server implements CustomTransportStrategy {
  override readonly transportId = MESSAGING_TRANSPORT;
  /** Failures are ours to see: Nest would log them, and hand on a message without its class. */
  override readonly propagatesEventHandlerErrors = true;
  private readonly handlers: Handler[] = [];
  private members: GroupMember[] = [];

  constructor(private readonly hub: MessagingHub) {
    super();
  }

  /** Nest would chain the handlers of one pattern into one; here each belongs to a group. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: HandlerExtras = {},
  ): void {
    // Requests are for other transports, which find theirs by themselves.
    if (!isEventHandler) return;
    const { site } = this.hub;
    const { bus = 'default' } = extras;
    if (bus !== site.name) return this.checkBus(pattern, bus);
    if (typeof pattern !== 'string')
      throw new HandlerConflictError(
        `The pattern ${JSON.stringify(pattern)} is no type of events.`,
        'Give @EventPattern the type as a text; or, if it is for another transport, name that: @EventPattern(…, Transport.TCP).',
      );
    const handler = handlerOf(this.hub, pattern, extras, (data, context) =>
      Promise.resolve(callback(data, context)).then(lastOf),
    );
    const twin = this.handlers.find(({ type, group }) => type === handler.type && group === handler.group);
    if (twin)
      throw new HandlerConflictError(
        `Two handlers of "${handler.type}" are in the group "${handler.group}", which gets each event once.`,
        'Give one of them a group of its own: @Subscribe(…, { group }).',
      );
    this.handlers.push(handler);
  }

  /** @throws HandlerConflictError when no such bus is registered */
  private checkBus(pattern: unknown, bus: string): void {
    const token = connectionToken('messaging', bus);
    for (const { providers } of this.hub.site.modules.values()) if (providers.has(token)) return;
    throw new HandlerConflictError(
      `A handler of ${JSON.stringify(pattern)} names the bus "${bus}", and there is none.`,
      `Import MessagingModule.forRoot({ name: '${bus}' }), or leave the bus out of @Subscribe.`,
    );
  }

  async listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      for (const group of new Set(this.handlers.map(handler => handler.group))) {
        const handlers = this.handlers.filter(handler => handler.group === group);
        const member = new GroupMember(this.hub, group, handlers);
        this.members.push(member);
        this.hub.members.add(member);
      }
      await Promise.all(this.members.map(member => member.join(this.hub.stopping)));
      callback();
    } catch (error) {
      callback(error);
    }
  }

  /** The members have left their groups by then, in the drain of the connection. */
  close(): void {
    this.members = [];
  }

  override on(): never {
    throw new TypeError('The messaging strategy has no events; subscribe to the channel infra:messaging:event.');
  }

  override unwrap<T>(): T {
    return this.hub.driver as T;
  }
}

/** Interceptors have a handler begin when its result is subscribed to. */
function lastOf(result: unknown): unknown {
  return isObservable(result) ? lastValueFrom(result, { defaultValue: undefined }) : result;
}
