import { type Abortable, AppInfo, bootScope } from '@core-infra/kernel';
import type { INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { Server } from 'node:http';
import { CannotListenError, PortInUseError } from '../errors.js';
import { ServerConfig } from '../server.config.js';
import { ConnectionCloser } from '../shutdown/connection-closer.js';
import type { ShutdownTarget } from '../shutdown/shutdown.js';
import { type AdapterChoice, createAdapter } from './adapter.js';
import { applyContributors } from './contributors.js';
import { LoggingHandover } from './logging-handover.js';

export interface CreateAppOptions {
  /** @default 'fastify' */
  adapter?: AdapterChoice;
  /** The last word before the application is initialised: pipes, versioning, microservices. Not called with `adapter: 'none'`. */
  configure?: (app: INestApplication) => void | Promise<void>;
  /** Breaks a boot off that is under way: what it had opened is closed, and `createApp` rejects with the signal's reason. */
  signal?: AbortSignal;
}

/**
 * Creates and initialises an application: what concerns contribute is applied, every required connection is open.
 * @throws whatever made the boot fail, after closing what had been opened
 */
export async function createApp(module: Type, options: CreateAppOptions = {}): Promise<ShutdownTarget> {
  const opened = new Set<Abortable>();
  const logging = new LoggingHandover();
  try {
    const boot = bootScope.run(opened, () =>
      options.adapter === 'none' ? createWorker(module, logging) : createHttp(module, options, logging),
    );
    return await (options.signal ? Promise.race([boot, rejection(options.signal)]) : boot);
  } catch (error) {
    logging.fallBack();
    for (const abortable of opened) await abortable.abortBoot();
    throw error;
  }
}

/** Never resolves; rejects when the signal aborts. */
function rejection(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    if (signal.aborted) reject(signal.reason as Error);
  });
}

async function createWorker(module: Type, logging: LoggingHandover): Promise<ShutdownTarget> {
  const app = await NestFactory.createApplicationContext(module, logging.nestOptions);
  logging.take(app);
  return { app };
}

async function createHttp(
  module: Type,
  { adapter = 'fastify', configure }: CreateAppOptions,
  logging: LoggingHandover,
): Promise<ShutdownTarget> {
  const server = await createAdapter(adapter as Exclude<AdapterChoice, 'none'>);
  const app = await NestFactory.create(module, server, logging.nestOptions);
  logging.take(app);
  const closer = new ConnectionCloser(app.getHttpServer() as Server);
  await applyContributors(app);
  await configure?.(app);
  await app.init();
  return { app, closer };
}

/**
 * Listens where the section `http` says, and then starts what the app takes messages from.
 * @returns the URL
 * @throws PortInUseError
 */
export async function listen(app: INestApplication): Promise<string> {
  const { port, host, keepAliveTimeoutMs } = app.get(ServerConfig, { strict: false });
  const { environment } = app.get(AppInfo, { strict: false });
  const address = host ?? (environment === 'development' || environment === 'test' ? '127.0.0.1' : '0.0.0.0');
  const server = app.getHttpServer() as Server;
  server.keepAliveTimeout = keepAliveTimeoutMs;
  try {
    await app.listen(port, address);
  } catch (error) {
    const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
    throw taken
      ? new PortInUseError(port, address, { cause: error })
      : new CannotListenError(port, address, { cause: error });
  }
  await app.startAllMicroservices();
  return app.getUrl();
}
