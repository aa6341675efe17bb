import {
  connectHandlers,
  defineEvent,
  EventBus,
  MessagingHub,
  MessagingModule,
  type OutgoingMessage,
  Subscribe,
} from '@core-infra/messaging';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { EventPattern, Payload, Server, Transport } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';
import { isObservable, lastValueFrom } from 'rxjs';
import type { BenchCase } from '../harness/bench-case.js';
import { loopVariant, sink } from '../harness/loop.js';

class Order {
  @IsString() id!: string;
  @IsInt() total!: number;
}

const placed = defineEvent('orders.placed', { schema: Order, key: order => order.id });
const CHUNK = 500;

/** Resolves when so many messages were handled. */
let left = 0;
let done = (): void => undefined;
const handled = (total: number): void => {
  sink.value += total;
  if ((left -= 1) === 0) done();
};
const untilHandled = (count: number): Promise<void> =>
  new Promise(resolve => {
    left = count;
    done = resolve;
  });

@Controller()
class CheckedHandlers {
  @Subscribe(placed, { group: 'checked' })
  handle(@Payload() { total }: Order): void {
    handled(total);
  }
}

@Controller()
class PlainHandlers {
  @Subscribe('orders.placed', { group: 'plain' })
  handle(@Payload() { total }: Order): void {
    handled(total);
  }
}

@Controller()
class NestHandlers {
  @EventPattern('orders.placed', Transport.TCP)
  handle(@Payload() { total }: Order): void {
    handled(total);
  }
}

/** Nest's own way to a handler, without a network before it. */
class Direct extends Server {
  override readonly transportId = Transport.TCP;
  listen(callback: () => void): void {
    callback();
  }
  close(): void {}
  on(): void {}
  unwrap<T>(): T {
    return undefined as T;
  }
  async take(body: Buffer): Promise<void> {
    const result: unknown = await this.messageHandlers.get('orders.placed')!(JSON.parse(body.toString()), undefined);
    if (isObservable(result)) await lastValueFrom(result, { defaultValue: undefined });
  }
}

interface Booted {
  readonly hub: MessagingHub;
  readonly bus: EventBus;
  close(): Promise<void>;
}

async function appWith(controller: new () => object): Promise<Booted> {
  @Module({
    imports: [MessagingModule.forRoot({ consumers: { maxLoopDelayMs: 0, maxHeapUsed: 1 } })],
    controllers: [controller],
  })
  class AppModule {}
  const app = await NestFactory.create(AppModule, new FastifyAdapter(), { logger: false });
  connectHandlers(app);
  await app.init();
  await app.startAllMicroservices();
  return { hub: app.get<MessagingHub>(MessagingHub as never), bus: app.get(EventBus), close: () => app.close() };
}

export const messagingMemory: BenchCase = {
  name: 'messaging-memory',
  about:
    'What a message costs between the broker and its handler, and an event that is published besides, with the driver `memory`: 500 keys, no inbox. ' +
    "*Nest*: JSON parsed and Nest's own way to an `@EventPattern` handler, with nothing around it: no order, no retries, no acknowledgement.",
  rounds: 9,
  metrics: [{ key: 'nsPerCall', label: 'CPU per message', unit: 'ns', digits: 0 }],
  goals: [{ metric: 'nsPerCall', variant: 'core-infra, consumed', atMost: 15_000 }],
  async open(effort) {
    const checked = await appWith(CheckedHandlers);
    const plain = await appWith(PlainHandlers);
    @Module({ controllers: [NestHandlers] })
    class NestModule {}
    const direct = new Direct();
    const nest = await NestFactory.createMicroservice(NestModule, { strategy: direct, logger: false });
    await nest.listen();
    const events = Array.from({ length: CHUNK }, (_, at) => placed.of({ id: `key-${at}`, total: at }));
    const messages: OutgoingMessage[] = [];
    const { publish } = plain.hub.driver;
    plain.hub.driver.publish = async given => {
      messages.push(...given);
      return given.map(() => undefined);
    };
    await plain.bus.publishBatch(events);
    plain.hub.driver.publish = publish;
    const signal = new AbortController().signal;
    const alive = setInterval(() => undefined, 60_000); // a broker in memory keeps no process alive
    const consumed =
      ({ hub }: Booted) =>
      async (times: number) => {
        for (let from = 0; from < times; from += CHUNK) {
          const all = untilHandled(CHUNK);
          await hub.driver.publish(messages, signal);
          await all;
        }
      };
    return {
      variants: [
        loopVariant('core-infra, consumed', consumed(plain), effort),
        loopVariant('core-infra, consumed and checked', consumed(checked), effort),
        loopVariant(
          'core-infra, published, consumed and checked',
          async times => {
            for (let from = 0; from < times; from += CHUNK) {
              const all = untilHandled(CHUNK);
              await checked.bus.publishBatch(events);
              await all;
            }
          },
          effort,
        ),
        loopVariant(
          'Nest',
          async times => {
            for (let from = 0; from < times; from += CHUNK) {
              const all = untilHandled(CHUNK);
              for (const { body } of messages) void direct.take(body);
              await all;
            }
          },
          effort,
        ),
      ],
      async close() {
        clearInterval(alive);
        await Promise.all([checked.close(), plain.close(), nest.close()]);
      },
    };
  },
};
