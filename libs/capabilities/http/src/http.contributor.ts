import { type AppContributing, AppContributor } from '@core-infra/kernel';
import { type INestApplication, Injectable, NotFoundException, type OnApplicationBootstrap } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { ErrorResponder } from './errors/error-responder.js';
import { HttpConfig } from './http.config.js';

/** The library's own routes: outside the prefix, whichever package brings them. */
const ownRoutes = ['health', 'health/{*path}', 'metrics', 'slo', '.well-known/{*path}'];

/** What only the application object can be told: the prefix and the page of the API. */
@AppContributor({ order: -100 })
@Injectable()
export class HttpContributor implements AppContributing, OnApplicationBootstrap {
  constructor(
    private readonly config: HttpConfig,
    private readonly host: HttpAdapterHost,
    private readonly responder: ErrorResponder,
  ) {}

  async contribute(app: INestApplication): Promise<void> {
    const { prefix, docsUrl } = this.config;
    if (trimmed(prefix)) app.setGlobalPrefix(trimmed(prefix), { exclude: ownRoutes });
    if (!docsUrl) return;
    const { serveDocs } = await import('./openapi/docs-page.js');
    await serveDocs(app, docsUrl);
  }

  /** With a prefix, Nest answers unknown routes below it alone, and Express the others, in HTML. */
  onApplicationBootstrap(): void {
    const { httpAdapter } = this.host;
    if (!trimmed(this.config.prefix) || httpAdapter?.getType() !== 'express') return;
    httpAdapter.use((request: IncomingMessage & { originalUrl: string }, response: ServerResponse) => {
      const error = new NotFoundException(`Cannot ${request.method} ${request.originalUrl}`);
      this.responder.respond(error, request, response);
    });
  }
}

function trimmed(prefix: string): string {
  return prefix.replace(/^\/+|\/+$/g, '');
}

/** For an app with a `main.ts` of its own: between `NestFactory.create` and `listen`, what `bootstrap` of @core-infra/core does for http. */
export async function configureHttp(app: INestApplication): Promise<void> {
  await app.get(HttpContributor, { strict: false }).contribute(app);
}
