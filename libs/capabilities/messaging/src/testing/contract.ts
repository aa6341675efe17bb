import { randomUUID } from 'node:crypto';
import type { INestApplicationContext, Type } from '@nestjs/common';
import { EventBus } from '../bus/event-bus.js';
import { MessagingHub } from '../bus/messaging-hub.js';
import type { MessagingOptions } from '../messaging.module.js';
import type { DriverFeatures } from '../driver/message-driver.js';
import type { DeadLetter } from '../stores/dead-letters.js';
import { Orders } from './orders.js';

/** What the contract needs of a driver's specs. */
export interface ContractSite {
  /** What the driver says it can do; compared with what it really says. */
  readonly features: Omit<DriverFeatures, 'maxBytes'>;
  /** An app with the driver's modules, MessagingModule with these options over the driver's own, and these controllers; set up as `bootstrap` would. */
  boot(options: MessagingOptions, controllers: readonly Type[]): Promise<INestApplicationContext>;
  /** Makes topics where the broker does not by itself. */
  ensureTopics?(topics: readonly string[]): Promise<void>;
}

/** A member of a group in an app of its own, and what it has handled. */
export interface Member extends AsyncDisposable {
  readonly app: INestApplicationContext;
  readonly bus: EventBus;
  readonly hub: MessagingHub;
  close(): Promise<void>;
}

const quick = { firstDelayMs: 5, maxDelayMs: 30, attempts: 3 };

/** Topics, groups and apps of one example; apart from those of all others. */
export class Example implements AsyncDisposable {
  private readonly mark = randomUUID().slice(0, 8);
  private readonly members: Member[] = [];
  readonly group = `group-${this.mark}`;
  readonly orders: Orders;

  constructor(private readonly site: ContractSite) {
    this.orders = new Orders(`contract.${this.mark}`);
  }

  static async of(site: ContractSite): Promise<Example> {
    const example = new Example(site);
    await site.ensureTopics?.(example.orders.types);
    return example;
  }

  async boot(controllers: readonly Type[], options: MessagingOptions = {}): Promise<Member> {
    const app = await this.site.boot({ group: this.group, retry: quick, ...options }, controllers);
    let closed: Promise<void> | undefined;
    const close = (): Promise<void> => (closed ??= app.close());
    const member: Member = {
      app,
      bus: app.get(EventBus, { strict: false }),
      hub: app.get<MessagingHub>(MessagingHub as never, { strict: false }),
      close,
      [Symbol.asyncDispose]: close,
    };
    this.members.push(member);
    return member;
  }

  async deadLetters({ hub }: Member, group: string = this.group): Promise<readonly DeadLetter[]> {
    return hub.deadLetters.list({ group }, { limit: 1_000 }, AbortSignal.timeout(5_000));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.members.map(member => member.close()));
  }
}

/** Repeats an assertion until it holds; for 20 s, since brokers rebalance. */
export async function eventually(assertion: () => unknown, timeoutMs: number = 20_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    try {
      await assertion();
      return;
    } catch (error) {
      if (performance.now() > end) throw error;
    }
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
