import type { WireMessage } from '../driver/message.js';
import type { CloudEvent } from '../events/cloud-event.js';

/** What an event is on the wire. */
export interface Encoded {
  readonly headers: Record<string, string>;
  readonly body: Buffer;
}

/** Turns events into messages and back. Data is what its JSON says; it is not checked here. */
export interface Codec {
  encode(event: CloudEvent): Encoded;
  /**
   * @param unsaid what events on this topic are, where the message does not say it
   * @throws EventUndecodableError
   */
  decode(message: ReadableMessage, unsaid: Unsaid): CloudEvent;
}

export interface Unsaid {
  readonly type: string;
  readonly version: number;
}

export interface ReadableMessage extends WireMessage {
  readonly partition: number;
  readonly position: number;
  readonly time: number;
}
