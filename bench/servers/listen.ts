import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import type { Served } from './serve.js';

/** What the `main.ts` of an app without Core Infra does. */
export async function listenPlainly(
  module: Type,
  setUp?: (app: NestFastifyApplication) => void,
  options: { bufferLogs?: boolean } = {},
): Promise<Served> {
  const app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), options);
  setUp?.(app);
  await app.listen(0, '127.0.0.1');
  return served(app);
}

export async function served(app: INestApplication): Promise<Served> {
  return { url: await app.getUrl(), close: () => app.close() };
}
