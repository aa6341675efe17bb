import { type DynamicModule, type INestApplication, Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';

export type Platform = 'express' | 'fastify';
export const platforms: readonly Platform[] = ['express', 'fastify'];

export interface Served extends AsyncDisposable {
  readonly app: INestApplication;
  readonly url: string;
}

/** A plain Nest app, without core, listening on a free port. */
export async function serve(
  platform: Platform,
  parts: { imports: (DynamicModule | Type)[]; controllers?: Type[]; providers?: Type[] },
  prepare: (app: INestApplication) => void = () => undefined,
): Promise<Served> {
  @Module(parts)
  class AppModule {}
  const app =
    platform === 'express'
      ? await NestFactory.create(AppModule, new ExpressAdapter(), { logger: false, abortOnError: false })
      : await NestFactory.create<NestFastifyApplication>(AppModule, new FastifyAdapter(), {
          logger: false,
          abortOnError: false,
        });
  prepare(app);
  await app.listen(0, '127.0.0.1');
  const address = app.getHttpServer().address() as { port: number };
  return {
    app,
    url: `http://127.0.0.1:${address.port}`,
    [Symbol.asyncDispose]: async () => {
      (app.getHttpServer() as import('node:http').Server).closeAllConnections();
      await app.close();
    },
  };
}
