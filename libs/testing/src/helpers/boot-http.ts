import type { INestApplication } from '@nestjs/common';
import { type AbstractHttpAdapter, NestFactory } from '@nestjs/core';
import { disposable, extend, type Importable, rootModule } from './boot-infra.js';

/** Both adapters that Nest has; a spec that concerns HTTP runs on each: `describe.each(httpAdapters)`. */
export const httpAdapters = ['fastify', 'express'] as const;
export type HttpAdapter = (typeof httpAdapters)[number];

export interface BootHttpOptions {
  /** What an app's `main.ts` does between creation and listening: prefixes, pipes, hooks. */
  setUp?(app: INestApplication): void | Promise<void>;
}

/** A listening app that closes itself at the end of its block: `await using app = await bootHttp(...)`. */
export type HttpApp = INestApplication &
  AsyncDisposable & {
    /** With the port, without a slash at the end. */
    readonly url: string;
    /** A request to a path of the app. */
    fetch(path: string, init?: RequestInit): Promise<Response>;
  };

/** Boots an HTTP app from modules and listens on a free port of 127.0.0.1. */
export async function bootHttp(
  adapter: HttpAdapter,
  modules: Importable | Importable[],
  { setUp }: BootHttpOptions = {},
): Promise<HttpApp> {
  const app = await NestFactory.create(rootModule([modules].flat()), await adapterOf(adapter), {
    logger: false,
    abortOnError: false,
  });
  try {
    await setUp?.(app);
    await app.listen(0, '127.0.0.1');
  } catch (error) {
    await app.close();
    throw error;
  }
  const { port } = app.getHttpServer().address() as { port: number };
  const url = `http://127.0.0.1:${port}`;
  return extend(disposable(app), { url, fetch: (path: string, init?: RequestInit) => fetch(url + path, init) });
}

/** Only the adapter that is asked for is loaded: an app has one of them installed. */
async function adapterOf(adapter: HttpAdapter): Promise<AbstractHttpAdapter> {
  if (adapter === 'fastify') return new (await import('@nestjs/platform-fastify')).FastifyAdapter();
  return new (await import('@nestjs/platform-express')).ExpressAdapter();
}
