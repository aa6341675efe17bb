import { AppInfo, classify, Clock, type DriverSite, operations, RequestContext } from '@core-infra/kernel';
import { Logger } from '@nestjs/common';
import { MessagingHub } from '../../src/bus/messaging-hub.js';
import { GroupMember } from '../../src/consume/group-member.js';
import type { Handler } from '../../src/handlers/handler.js';
import { type MessageDriver, MessagingConfig, type ParkingLot, type ReceivedMessage } from '../../src/index.js';
import { MemoryDeadLetters } from '../../src/drivers/memory/memory.dead-letters.js';

export const topic = 'orders.placed';

/** A broker of which the spec says what it delivers, and which notes what it is told. */
export class Scripted {
  readonly settled: number[] = [];
  readonly released: number[] = [];
  readonly calls: string[] = [];
  readonly hub: MessagingHub;
  readonly member: GroupMember;
  readonly deadLetters = new MemoryDeadLetters();
  /** `consume` resolves when this does. */
  joining: Promise<void> = Promise.resolve();
  /** Told of each message that is settled. */
  onSettled: () => void = () => undefined;
  private position = 0;

  constructor(handlers: readonly Partial<Handler>[], config: MessagingConfig = quickConfig(), parking?: ParkingLot) {
    const driver: MessageDriver = {
      name: 'scripted',
      features: { ordered: true, schedule: true, reach: 'process', durable: false, retention: 'log' },
      deadLetters: this.deadLetters,
      publish: async messages => messages.map(() => undefined),
      sendToGroup: async (_group, messages) => {
        for (const message of messages) this.deliver([{ ...message, redelivered: true }]);
      },
      consume: async () => {
        await this.joining;
        return {
          pause: () => void this.calls.push('pause'),
          resume: () => void this.calls.push('resume'),
          settle: ({ position }) => {
            this.settled.push(position);
            this.onSettled();
          },
          release: ({ position }) => void this.released.push(position),
          backlog: async () => [],
          stop: async () => void this.calls.push('stop'),
        };
      },
      ...(parking && { parking }),
    };
    const logger = Object.assign(new Logger('messaging'), {
      warn: () => undefined,
      error: () => undefined,
      log: () => undefined,
    });
    const site = {
      id: 'messaging',
      name: 'default',
      logger,
      clock: Clock.system,
      context: RequestContext.none,
      app: { name: 'app', environment: 'test' } as AppInfo,
      operations: operations('messaging'),
      classify: (error: unknown) => classify(error),
    } as unknown as DriverSite;
    this.hub = new MessagingHub(driver, config, site);
    this.member = new GroupMember(this.hub, 'group', handlers.map(handlerWith));
  }

  async join(): Promise<void> {
    await this.member.assigned([{ topic, number: 0 }]);
    await this.member.join(new AbortController().signal);
  }

  deliver(messages: readonly Partial<ReceivedMessage>[]): void {
    this.member.deliver(
      messages.map(message => ({
        id: String(this.position),
        topic,
        partition: 0,
        time: Date.now(),
        attempts: 0,
        headers: { ce_specversion: '1.0', ce_id: String(this.position), ce_source: '/s', ce_type: topic },
        body: Buffer.from('{}'),
        ...message,
        position: this.position++,
      })),
    );
  }
}

export function quickConfig(change: (config: MessagingConfig) => void = () => undefined): MessagingConfig {
  const config = new MessagingConfig();
  Object.assign(config.consumers, { maxHeapUsed: 1, maxLoopDelayMs: 0, revokeTimeoutMs: 50 });
  Object.assign(config.retry, { firstDelayMs: 1, maxDelayMs: 1, attempts: 3 });
  change(config);
  return config;
}

export function handlerWith(part: Partial<Handler>): Handler {
  return {
    type: topic,
    group: 'group',
    topic,
    queue: false,
    concurrency: 4,
    overflow: 0,
    timeoutMs: 10_000,
    retry: { attempts: 3, maxAgeMs: 60_000, firstDelayMs: 1, factor: 1, maxDelayMs: 1 },
    mode: 'auto',
    idempotent: true,
    call: async () => undefined,
    ...part,
  };
}

/** Resolves after so many turns of the event loop. */
export async function turns(count: number): Promise<void> {
  for (let at = 0; at < count; at += 1) await new Promise(resolve => setImmediate(resolve));
}
