import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import type { AccessLog } from './access.log.js';

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
}
interface FastifyReply {
  readonly raw: ServerResponse;
}
interface Fastify {
  addHook(name: 'onRequest', hook: (request: FastifyRequest, reply: FastifyReply, done: () => void) => void): unknown;
}

type ExpressRequest = IncomingMessage & { baseUrl?: string; route?: { path?: unknown } };
interface Express {
  use(handler: (request: ExpressRequest, response: ServerResponse, next: () => void) => void): unknown;
  /** Express 5. */
  readonly router?: { readonly stack: unknown[] };
  /** Express 4. */
  readonly _router?: { readonly stack: unknown[] };
}

/** Sets the access log up: a hook on Fastify, a first handler on Express. */
export function mountAccessLog(adapter: HttpServer, log: AccessLog): void {
  const server: unknown = adapter.getInstance();
  if (adapter.getType() === 'fastify') mountOnFastify(server as Fastify, log);
  else mountOnExpress(server as Express, log);
}

/** Fastify's own hooks at the end of an answer do not fire when the caller hangs up after its request was read. */
function mountOnFastify(server: Fastify, log: AccessLog): void {
  server.addHook('onRequest', (request, reply, done) => {
    watch(request.raw, reply.raw, log, () => request.routeOptions.url);
    done();
  });
}

function mountOnExpress(server: Express, log: AccessLog): void {
  server.use(function accessLog(request, response, next) {
    watch(request, response, log, () => {
      const { route } = request;
      return typeof route?.path === 'string' ? (request.baseUrl ?? '') + route.path : undefined;
    });
    next();
  });
  // Nest has mounted its parsers and routes by now; Express runs handlers in their order.
  const stack = 'router' in server && server.router ? server.router.stack : server._router!.stack;
  stack.unshift(stack.pop());
}

/** Whether a request is watched already: where the module is imported twice, one line is enough. */
const WATCHED: unique symbol = Symbol('core-infra:access-log');

function watch(
  request: IncomingMessage,
  response: ServerResponse,
  log: AccessLog,
  routeOf: () => string | undefined,
): void {
  const marked = response as ServerResponse & { [WATCHED]?: true };
  if (marked[WATCHED]) return;
  marked[WATCHED] = true;
  const started = performance.now();
  response.once('close', () => {
    const durationMs = performance.now() - started;
    log.ended({ request, response, route: routeOf(), durationMs, aborted: !response.writableFinished });
  });
}
