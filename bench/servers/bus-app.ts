import { DatabaseModule, DataSource } from '@core-infra/database';
import {
  connectHandlers,
  defineEvent,
  EventBus,
  type HandlerOptions,
  type MessageContext,
  MessagingModule,
  type MessagingOptions,
  Subscribe,
} from '@core-infra/messaging';
import { messagingMigrations, OutboxModule, type OutboxOptions } from '@core-infra/messaging/outbox';
import { Controller, type DynamicModule, type INestApplication, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { Ctx, Payload } from '@nestjs/microservices';
import { IsInt, IsString } from 'class-validator';

export class Step {
  @IsString() key!: string;
  @IsInt() at!: number;
}

export const stepped = defineEvent('bench.stepped', { schema: Step, key: ({ key }) => key });

export interface BusApp {
  readonly app: INestApplication;
  readonly bus: EventBus;
  readonly dataSource: DataSource;
}

/** An app with the memory driver, unless another is given with its connection, and a database, whose handler of {@link stepped} calls back. */
export async function bootBus(
  url: string,
  given: {
    readonly connections?: readonly DynamicModule[];
    readonly messaging?: MessagingOptions;
    readonly outbox?: OutboxOptions;
    readonly handler?: {
      readonly options: HandlerOptions;
      handle(data: Step | Step[], context: MessageContext): unknown;
    };
  },
): Promise<BusApp> {
  const { connections = [], messaging = {}, outbox = {}, handler } = given;

  @Controller()
  class Handlers {
    @Subscribe(stepped, handler?.options)
    async handle(@Payload() data: Step | Step[], @Ctx() context: MessageContext): Promise<unknown> {
      return handler?.handle(data, context);
    }
  }

  @Module({
    imports: [
      DatabaseModule.forRoot({
        dsn: url,
        migrations: { classes: messagingMigrations, atBoot: true },
        pool: { max: 20 },
      }),
      ...connections,
      MessagingModule.forRoot({ driver: 'memory', group: 'bench', ...messaging }),
      OutboxModule.forRoot(outbox),
    ],
    controllers: handler ? [Handlers] : [],
  })
  class BusModule {}
  const app = await NestFactory.create(BusModule, new FastifyAdapter(), { logger: false, abortOnError: false });
  connectHandlers(app);
  await app.init();
  await app.startAllMicroservices();
  return { app, bus: app.get(EventBus), dataSource: app.get(DataSource) };
}
