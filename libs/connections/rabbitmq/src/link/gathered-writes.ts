import type { Writable } from 'node:stream';
import type { ChannelModel } from 'amqplib';
import type { Link } from './link.js';

/**
 * Has what is written in one turn of the event loop go out together. amqplib hands each message and each acknowledgement to the socket by itself, which
 * is a system call and a packet for each.
 */
export class GatheredWrites {
  private stream?: Writable;

  constructor(link: Link) {
    link.join({
      up: model => {
        this.of(model);
        return Promise.resolve();
      },
    });
  }

  /** Called before something is written. */
  begin(): void {
    const { stream } = this;
    if (!stream || stream.writableCorked > 0) return;
    stream.cork();
    // amqplib passes on in one turn what it was given in the one before.
    setImmediate(() => setImmediate(() => stream.uncork()));
  }

  private of({ connection }: ChannelModel): void {
    const { stream } = connection as unknown as { readonly stream: Writable };
    this.stream = stream;
    // Before amqplib itself, who then writes what did not fit.
    stream.prependListener('drain', () => this.begin());
  }
}
