/** What is known of the request or message that the running code serves. */
export interface ContextFields {
  /** Id of this request; a UUIDv7 when the caller sent none. */
  requestId: string;
  /** Id that the whole business operation shares across services. */
  correlationId: string;
  /** W3C trace context, as received. */
  traceparent?: string;
  tracestate?: string;
  userId?: string;
  tenantId?: string;
  /** When the caller stops waiting, in milliseconds since 1970. */
  deadline?: number;
  /** Aborts when the caller hung up or the deadline passed. */
  signal?: AbortSignal;
}

/** Fields of a context to be. The signal may be made by a function, which is called when somebody first reads it. */
export interface ContextInput extends Partial<Omit<ContextFields, 'signal'>> {
  signal?: AbortSignal | (() => AbortSignal);
}

/** The context of the running request or message. The context module provides it; {@link RequestContext.none} knows nothing. */
export abstract class RequestContext {
  /** The running context, or `undefined` outside of one. */
  abstract get current(): Readonly<ContextFields> | undefined;
  /** Changes fields of the running context, for the rest of it; outside of one it does nothing. */
  abstract set(fields: ContextInput): void;
  /** Runs `work` in a context of its own; what `fields` leaves out is inherited from the running one, else made anew. */
  abstract run<T>(fields: ContextInput, work: () => T): T;
  /**
   * The context that was begun for an HTTP request, for hooks which run outside of it, such as those at the end of its answer.
   * @param request Node's own `IncomingMessage`
   */
  of?(request: object): Readonly<ContextFields> | undefined;

  static readonly none: RequestContext = {
    current: undefined,
    set: () => undefined,
    run: (_fields, work) => work(),
  };
}
