import { BaseRpcContext } from '@nestjs/microservices';
import type { ReceivedMessage } from '../driver/message.js';
import type { CloudEvent } from '../events/cloud-event.js';

/** What a handler gets by `@Ctx()`: the event's envelope, and how it came. Of a batch, one for each event by `events`. */
export class MessageContext<Data = unknown> extends BaseRpcContext<unknown[]> {
  constructor(
    /** The events of the batch; of a single one, itself alone. */
    readonly events: readonly CloudEvent<Data>[],
    /** The messages they came in, at the same places. */
    readonly messages: readonly ReceivedMessage[],
    readonly group: string,
    /** Which attempt this is, from 1; of a batch, the highest. */
    readonly attempt: number,
    /** Whose signal it is. */
    private readonly limit: { readonly signal: AbortSignal },
  ) {
    super([events]);
  }

  /** Aborts when the handler's time is over, or the app ends and can wait no longer. Made when it is first read. */
  get signal(): AbortSignal {
    return this.limit.signal;
  }

  get event(): CloudEvent<Data> {
    return this.events[0]!;
  }

  get message(): ReceivedMessage {
    return this.messages[0]!;
  }
}
