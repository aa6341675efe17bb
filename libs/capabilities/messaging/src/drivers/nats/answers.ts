import type { NatsClient } from '@core-infra/nats';

const ACK = Buffer.from('+ACK');

/** Tells the server what was settled, what belongs to one turn of the event loop in one write. */
export class Answers {
  private replies: string[] = [];

  constructor(private readonly client: NatsClient) {}

  settle(reply: string): void {
    if (this.replies.push(reply) === 1) setImmediate(() => this.flush());
  }

  flush(): void {
    const { replies } = this;
    this.replies = [];
    try {
      const { connection } = this.client;
      for (const reply of replies) connection.publish(reply, ACK);
    } catch {
      // The connection is closed: these are delivered again.
    }
  }
}
