import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import type { AccessLog } from './access.log.js';

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
}
interface FastifyReply {
  readonly raw: ServerResponse;
  readonly elapsedTime: number;
}
interface Fastify {
  addHook(name: 'onResponse', hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void): unknown;
}

type ExpressRequest = IncomingMessage & { baseUrl?: string; route?: { path?: unknown } };
interface Express {
  use(handler: (request: ExpressRequest, response: ServerResponse, next: () => void) => void): unknown;
  /** Express 5. */
  readonly router?: { readonly stack: unknown[] };
  /** Express 4. */
  readonly _router?: { readonly stack: unknown[] };
}

/** Sets the access log up: a hook at the end of each answer on Fastify, a first handler on Express. */
export function mountAccessLog(adapter: HttpServer, log: AccessLog): void {
  const server: unknown = adapter.getInstance();
  if (adapter.getType() === 'fastify') mountOnFastify(server as Fastify, log);
  else mountOnExpress(server as Express, log);
}

function mountOnFastify(server: Fastify, log: AccessLog): void {
  server.addHook('onResponse', (request, reply, done) => {
    log.ended({
      request: request.raw,
      response: reply.raw,
      route: request.routeOptions.url,
      durationMs: reply.elapsedTime,
      aborted: !reply.raw.writableFinished,
    });
    done();
  });
}

function mountOnExpress(server: Express, log: AccessLog): void {
  server.use(function accessLog(request, response, next) {
    const started = performance.now();
    response.once('close', () => {
      const { route } = request;
      log.ended({
        request,
        response,
        route: typeof route?.path === 'string' ? (request.baseUrl ?? '') + route.path : undefined,
        durationMs: performance.now() - started,
        aborted: !response.writableFinished,
      });
    });
    next();
  });
  // Nest has mounted its parsers and routes by now; Express runs handlers in their order.
  const stack = 'router' in server && server.router ? server.router.stack : server._router!.stack;
  stack.unshift(stack.pop());
}
