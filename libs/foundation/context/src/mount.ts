import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import { contextOf } from './carrier.js';
import type { HttpContext } from './http.context.js';

interface Fastify {
  addHook(
    name: 'onRequest',
    hook: (
      request: { readonly raw: IncomingMessage },
      reply: { readonly raw: ServerResponse; header(name: string, value: string): unknown },
      done: () => void,
    ) => void,
  ): unknown;
}

interface Express {
  use(handler: (request: IncomingMessage, response: ServerResponse, next: () => void) => void): unknown;
  /** Express 5. */
  readonly router?: { readonly stack: unknown[] };
  /** Express 4. */
  readonly _router?: { readonly stack: unknown[] };
}

/** Sets the context up before anything else sees a request: also before the body parsers, and for those that no route matches. */
export function mountContext(adapter: HttpServer, http: HttpContext): void {
  const server: unknown = adapter.getInstance();
  if (adapter.getType() === 'fastify') mountOnFastify(server as Fastify, http);
  else mountOnExpress(server as Express, http);
}

function mountOnFastify(server: Fastify, http: HttpContext): void {
  const header = http.answerHeader;
  server.addHook('onRequest', (request, reply, done) => {
    // The module is imported twice, with different options: the first one counts.
    if (contextOf(request.raw)) return done();
    const context = http.begin(request.raw, reply.raw);
    if (header !== undefined) reply.header(header, context.requestId);
    http.run(context, request.raw, done);
  });
}

function mountOnExpress(server: Express, http: HttpContext): void {
  const header = http.answerHeader;
  server.use(function requestContext(request, response, next) {
    if (contextOf(request)) return next();
    const context = http.begin(request, response);
    if (header !== undefined) response.setHeader(header, context.requestId);
    http.run(context, request, next);
  });
  // Nest has mounted its parsers and routes by now; Express runs handlers in their order.
  const stack = 'router' in server && server.router ? server.router.stack : server._router!.stack;
  stack.unshift(stack.pop());
}
