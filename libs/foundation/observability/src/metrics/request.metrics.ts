import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpServer } from '@nestjs/common';
import type { Metric } from '@core-infra/kernel';
import type { Count, MetricRegistry, Time } from './metric.registry.js';
import type { BoundedLabels } from './bounded.labels.js';

interface FastifyRequest {
  readonly raw: IncomingMessage;
  readonly routeOptions: { readonly url?: string };
}
interface Fastify {
  addHook(
    name: 'onRequest',
    hook: (request: FastifyRequest, reply: { readonly raw: ServerResponse }, done: () => void) => void,
  ): unknown;
}

type ExpressRequest = IncomingMessage & { baseUrl?: string; route?: { path?: unknown } };
interface Express {
  use(handler: (request: ExpressRequest, response: ServerResponse, next: () => void) => void): unknown;
  /** Express 5. */
  readonly router?: { readonly stack: unknown[] };
  /** Express 4. */
  readonly _router?: { readonly stack: unknown[] };
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);
const classes = ['other', '1xx', '2xx', '3xx', '4xx', '5xx'];
/** What stands for the path of a request that no route has: it is the caller's. */
const NO_ROUTE = 'none';

/** Counts and times HTTP requests by their routes. */
export class RequestMetrics {
  private readonly durations: BoundedLabels<'method' | 'route' | 'status', Time>;
  private readonly counts: BoundedLabels<'app_name' | 'endpoint', Count>;
  private readonly latencies: BoundedLabels<'app_name' | 'endpoint', Time>;
  private active = 0;

  constructor(
    registry: MetricRegistry,
    private readonly appName: string,
  ) {
    this.durations = registry.histogram(
      'http_server_request_duration_seconds',
      'How long requests took, until the last byte of the answer was handed over or the caller hung up.',
      ['method', 'route', 'status'],
    );
    // Under the names that dashboards ask for which are older than the one above.
    this.counts = registry.counter('request_count_total', 'Requests.', ['app_name', 'endpoint']);
    this.latencies = registry.histogram('request_latency_seconds', 'How long requests took.', ['app_name', 'endpoint']);
  }

  /** As the first of all handlers, so that those are measured as well that a guard or a parser refuses. */
  mount(adapter: HttpServer): void {
    const server: unknown = adapter.getInstance();
    if (adapter.getType() === 'fastify') this.mountOnFastify(server as Fastify);
    else this.mountOnExpress(server as Express);
  }

  read(): readonly Metric[] {
    return [
      {
        name: 'http_server_active_requests',
        help: 'Requests that are being answered.',
        samples: [{ value: this.active }],
      },
    ];
  }

  private mountOnFastify(server: Fastify): void {
    server.addHook('onRequest', (request, reply, done) => {
      this.watch(request.raw, reply.raw, () => request.routeOptions.url);
      done();
    });
  }

  private mountOnExpress(server: Express): void {
    const watch = this.watch.bind(this);
    server.use(function requestMetrics(request, response, next) {
      watch(request, response, () => {
        const { route } = request;
        return typeof route?.path === 'string' ? (request.baseUrl ?? '') + route.path : undefined;
      });
      next();
    });
    // Nest has mounted its parsers and routes by now; Express runs handlers in their order.
    const stack = 'router' in server && server.router ? server.router.stack : server._router!.stack;
    stack.unshift(stack.pop());
  }

  private watch(request: IncomingMessage, response: ServerResponse, routeOf: () => string | undefined): void {
    const began = performance.now();
    this.active += 1;
    // Fastify's own hooks at the end of an answer do not fire when the caller hangs up after its request was read.
    response.once('close', () => {
      this.active -= 1;
      const { method = '' } = request;
      const status = response.writableFinished
        ? (classes[Math.floor(response.statusCode / 100)] ?? 'other')
        : 'aborted';
      const route = routeOf() ?? NO_ROUTE;
      const durationMs = performance.now() - began;
      this.durations.of(methods.has(method) ? method : 'other', route, status)(durationMs);
      this.counts.of(this.appName, route)();
      this.latencies.of(this.appName, route)(durationMs);
    });
  }
}
