import 'reflect-metadata';
import {
  connectHandlers,
  defineEvent,
  EventBus,
  MessagingHub,
  MessagingModule,
  Subscribe,
} from '@core-infra/messaging';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import { answering } from '../harness/answering.js';
import { memory } from '../harness/memory.js';
import { BODY, DATA, keyOf, Placed, TYPE } from './placed.js';

// Holds many messages that handlers have not ended with, and answers with the bytes that they take, after garbage collection.

export interface InHandQuestion {
  readonly kind: 'core-infra' | 'messages alone';
  readonly messages: number;
}

/** Kept until the process ends, so that nothing of it is collected. */
const kept: unknown[] = [];

/** Resolves with what takes so many messages in hand. */
const open: Record<InHandQuestion['kind'], (messages: number) => Promise<(messages: number) => Promise<void>>> = {
  'core-infra': async messages => {
    const placed = defineEvent(TYPE, { schema: Placed });
    @Controller()
    class Handlers {
      @Subscribe(placed, { timeoutMs: 3_600_000 })
      handle(): Promise<void> {
        return new Promise(() => undefined);
      }
    }
    @Module({
      imports: [
        MessagingModule.forRoot({
          group: 'bench',
          consumers: { maxInFlight: 2 * messages, maxBytesInFlight: 1_000_000_000, timeoutMs: 3_600_000 },
        }),
      ],
      controllers: [Handlers],
    })
    class InHandModule {}
    const app = await NestFactory.create(InHandModule, { logger: false });
    connectHandlers(app);
    await app.init();
    await app.startAllMicroservices();
    const hub = app.get(MessagingHub);
    kept.push(app);
    return async count => {
      const events = Array.from({ length: count }, (_, at) => placed.of(DATA, { key: keyOf(at) }));
      await app.get(EventBus).publishBatch(events);
      while (inHand(hub) < count) await sleep(5);
    };
  },
  'messages alone': () =>
    Promise.resolve(count => {
      for (let at = 0; at < count; at += 1)
        kept.push({ key: keyOf(at), headers: { ce_id: String(at), ce_type: TYPE }, body: Buffer.from(BODY) });
      return Promise.resolve();
    }),
};

answering<InHandQuestion>(async ({ kind, messages }) => {
  const take = await open[kind](messages);
  const before = memory();
  await take(messages);
  return memory().heapBytes - before.heapBytes;
});

function inHand(hub: MessagingHub): number {
  return [...hub.members].reduce((sum, { state }) => sum + state.inFlight, 0);
}
