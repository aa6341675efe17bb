/** What the subject of a delivery's answer says. */
export interface Delivery {
  /** The message's number in its stream. */
  readonly sequence: number;
  /** How often it was delivered, this time included. */
  readonly count: number;
  /** When the stream got it, in milliseconds since 1970. */
  readonly time: number;
}

const PREFIX = '$JS.ACK.';

/** `$JS.ACK.<stream>.<consumer>.<count>.<sequence>.<its number with the consumer>.<time>.…`, with the domain and the account first since NATS 2.10. */
export function deliveryOf(reply: string): Delivery {
  let dots = 0;
  for (let at = reply.indexOf('.'); at >= 0; at = reply.indexOf('.', at + 1)) dots += 1;
  let from = PREFIX.length;
  for (let skip = dots > 8 ? 4 : 2; skip > 0; skip -= 1) from = reply.indexOf('.', from) + 1;
  const afterCount = reply.indexOf('.', from);
  const afterSequence = reply.indexOf('.', afterCount + 1);
  const beforeTime = reply.indexOf('.', afterSequence + 1);
  const afterTime = reply.indexOf('.', beforeTime + 1);
  return {
    count: Number(reply.slice(from, afterCount)),
    sequence: Number(reply.slice(afterCount + 1, afterSequence)),
    time: Number(reply.slice(beforeTime + 1, afterTime)) / 1e6,
  };
}

/** Whether an answer to a message tells a stream what became of it; a status of the server asks for none. */
export const isDelivery = (reply: string | undefined): boolean => reply?.startsWith(PREFIX) ?? false;
