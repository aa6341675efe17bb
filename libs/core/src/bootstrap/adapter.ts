import { importPackage } from '@core-infra/kernel';
import type { AbstractHttpAdapter } from '@nestjs/core';

/** What serves HTTP: Fastify or Express, by name or as an adapter of your own; `none` for a worker without HTTP. */
export type AdapterChoice = 'fastify' | 'express' | 'none' | AbstractHttpAdapter;

/** What is used of Fastify's reply. */
interface Reply {
  readonly server: { errorHandler(error: Error, request: unknown, reply: unknown): void };
}

/** Makes the adapter; its package is loaded only when it is chosen. */
export async function createAdapter(choice: Exclude<AdapterChoice, 'none'>): Promise<AbstractHttpAdapter> {
  if (choice === 'express') {
    const { ExpressAdapter } = await importPackage(
      () => import('@nestjs/platform-express'),
      'bootstrap({ adapter: "express" })',
      ['@nestjs/platform-express@^12'],
    );
    return new ExpressAdapter();
  }
  if (choice === 'fastify') {
    const { FastifyAdapter } = await importPackage(
      () => import('@nestjs/platform-fastify'),
      'bootstrap with its default adapter, "fastify" (the other is { adapter: "express" }),',
      ['@nestjs/platform-fastify@^12'],
    );
    // A URL that the router cannot read never reaches Nest unless it is handed over: Fastify would answer it in a form of its own.
    const adapter = new FastifyAdapter({
      frameworkErrors: (error: Error, request: unknown, reply: Reply) =>
        reply.server.errorHandler(error, request, reply),
    });
    return adapter as unknown as AbstractHttpAdapter;
  }
  return choice;
}
