/** What the subject of a delivery's answer says. */
export interface Delivery {
  /** The message's number in its stream. */
  readonly sequence: number;
  /** How often it was delivered, this time included. */
  readonly count: number;
  /** When the stream got it, in milliseconds since 1970. */
  readonly time: number;
}

/** `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.…`, with the domain and the account before the stream since NATS 2.10. */
export function deliveryOf(reply: string): Delivery {
  const parts = reply.split('.');
  const from = parts.length > 9 ? 6 : 4;
  return { count: Number(parts[from]), sequence: Number(parts[from + 1]), time: Number(parts[from + 3]) / 1e6 };
}

/** Whether an answer to a message tells a stream what became of it; a status of the server asks for none. */
export const isDelivery = (reply: string | undefined): boolean => reply?.startsWith('$JS.ACK.') ?? false;
