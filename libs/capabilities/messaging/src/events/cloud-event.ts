/** An event with its envelope: the attributes of CloudEvents 1.0, and what this project adds as extension attributes. */
export interface CloudEvent<Data = unknown> {
  /** Unique with `source`; what the inbox tells repetitions by. */
  readonly id: string;
  /** Who published it: a URI reference, by default `/` and the app's name. */
  readonly source: string;
  /** What happened, e.g. `orders.placed`. */
  readonly type: string;
  /** When it was published, RFC 3339. */
  readonly time: string;
  readonly subject?: string;
  /** Media type of `data`. */
  readonly datacontenttype?: string;
  /** URI reference of the schema of `data`. */
  readonly dataschema?: string;
  /** Version of the shape of `data` (extension `dataversion`). */
  readonly version: number;
  /** What is kept in order: events of one key are handled one after another (extension `partitionkey`). */
  readonly key?: string;
  /** W3C trace context (extensions `traceparent`, `tracestate`). */
  readonly traceparent?: string;
  readonly tracestate?: string;
  /** Id that the whole business operation shares (extension `correlationid`). */
  readonly correlationId?: string;
  /** Id of the event that this one follows from (extension `causationid`). */
  readonly causationId?: string;
  /** The app's own headers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly data: Data;
}
