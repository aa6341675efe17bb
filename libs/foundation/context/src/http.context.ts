import type { IncomingMessage, ServerResponse } from 'node:http';
import { Clock } from '@core-infra/kernel';
import type { ClsService } from 'nestjs-cls';
import { carry } from './carrier.js';
import { ClsRequestContext, type ContextStore, storeOf } from './cls-request-context.js';
import type { ContextConfig } from './context.config.js';
import { saneIdOf, timeoutOf, traceparentOf, tracestateOf } from './incoming.js';
import { RunningContext } from './running.context.js';

/** Begins a context for each HTTP request, whatever the server. */
export class HttpContext {
  constructor(
    private readonly cls: ClsService,
    private readonly context: ClsRequestContext,
    private readonly config: ContextConfig,
    private readonly clock: Clock = Clock.system,
  ) {}

  /** The header that carries the request id in the answer; undefined when there is to be none. */
  get answerHeader(): string | undefined {
    return this.config.requestIdHeader || undefined;
  }

  begin(request: IncomingMessage, response: ServerResponse): RunningContext {
    const { headers } = request;
    const { config } = this;
    const requestId =
      (config.trustRequestId && saneIdOf(headers[config.requestIdHeader], config.maxIdLength)) || this.context.newId();
    const correlationId = saneIdOf(headers[config.correlationIdHeader], config.maxIdLength) ?? requestId;
    const context = new RunningContext(requestId, correlationId, response);
    if (headers.traceparent !== undefined && config.trustTraceContext) {
      context.traceparent = traceparentOf(headers.traceparent as string);
      if (context.traceparent) context.tracestate = tracestateOf(headers.tracestate);
    }
    const asked = timeoutOf(headers[config.timeoutHeader]);
    const timeoutMs = asked === undefined ? config.defaultTimeoutMs : Math.min(asked, config.maxTimeoutMs);
    if (timeoutMs > 0) context.deadline = this.clock.now() + timeoutMs;
    carry(request, context);
    return context;
  }

  run(context: RunningContext, request: IncomingMessage, next: () => void): void {
    const store = storeOf(context);
    if (hasBody(request)) this.keepAcrossBody(store, request);
    this.cls.runWith(store as never, next);
  }

  /**
   * The events of a body that arrives in later packets are emitted from the socket's own asynchronous scope: whoever listens to
   * them (multer, busboy, a handler of an upload) would lose the context. So the emitter itself is made to run in it.
   */
  private keepAcrossBody(store: ContextStore, request: IncomingMessage): void {
    const { cls } = this;
    const { emit } = request;
    request.emit = function (this: IncomingMessage, ...event: Parameters<typeof emit>): boolean {
      return cls.runWith(store as never, () => emit.apply(this, event));
    } as typeof emit;
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}
