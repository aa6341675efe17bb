import {
  connectHandlers,
  defineEvent,
  MessagingHub,
  MessagingModule,
  type MessagingOptions,
  Subscribe,
} from '@core-infra/messaging';
import {
  Controller,
  type DynamicModule,
  type INestApplication,
  type INestMicroservice,
  Module,
  type Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, type MicroserviceOptions } from '@nestjs/microservices';
import { IsString } from 'class-validator';

export class Placed {
  @IsString() note!: string;
}

export const TYPE = 'bench.placed';
export const GROUP = 'bench';
/** Of 1 KiB. */
export const DATA: Placed = { note: 'x'.repeat(1_000) };
export const BODY = Buffer.from(JSON.stringify(DATA));
export const placed = defineEvent(TYPE, { schema: Placed });
export const keyOf = (at: number): string => `order-${at % 1_000}`;

/** An app on a broker, with a handler of {@link placed} where it is given one; `more` goes beside the options that all have. */
export async function bootPlaced(
  connection: DynamicModule,
  driver: MessagingOptions['driver'],
  handle?: () => unknown,
  more: Omit<MessagingOptions, 'driver'> = {},
): Promise<INestApplication> {
  @Controller()
  class Handlers {
    @Subscribe(placed)
    async handle(): Promise<void> {
      await handle?.();
    }
  }
  @Module({
    imports: [connection, MessagingModule.forRoot({ driver: driver!, group: GROUP, startup: 'require', ...more })],
    controllers: handle ? [Handlers] : [],
  })
  class BenchModule {}
  const app = await NestFactory.create(BenchModule, { logger: false, abortOnError: false });
  connectHandlers(app);
  await app.init();
  await app.startAllMicroservices();
  return app;
}

/** Ends it when what it has handled is acknowledged. */
export async function closeDrained(app: INestApplication): Promise<void> {
  await app.get(MessagingHub).drain(AbortSignal.timeout(5_000));
  await app.close();
}

/**
 * Nest's own transport, with an `@EventPattern` handler of the same events.
 * @param listening awaited before it is used
 */
export async function bootNest(
  options: MicroserviceOptions,
  handle: (context: unknown) => void,
  listening?: (app: INestMicroservice) => Promise<unknown>,
): Promise<() => Promise<unknown>> {
  @Controller()
  class Handlers {
    @EventPattern(TYPE)
    handle(@Ctx() context: unknown): void {
      handle(context);
    }
  }
  @Module({ controllers: [Handlers] as Type[] })
  class NestModule {}
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(NestModule, { logger: false, ...options });
  await app.listen();
  await listening?.(app);
  return () => app.close();
}
