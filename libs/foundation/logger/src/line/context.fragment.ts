import type { ContextFields, RequestContext } from '@core-infra/kernel';

const clean = /^[\w.:+/=~@ -]*$/;
const quoted = (text: string) => (clean.test(text) ? `"${text}"` : JSON.stringify(text));

/** The part of a line that tells whom it served. Made once per request as long as nothing in it changes. */
export class ContextFragment {
  private seen: Readonly<ContextFields> | undefined = undefined;
  private requestId = '';
  private userId: string | undefined = undefined;
  private tenantId: string | undefined = undefined;
  private text = '';

  private standIn: Readonly<ContextFields> | undefined = undefined;

  constructor(private readonly context: RequestContext) {}

  /** Lines that `write` writes are those of `fields`, where no context is running. Cheaper than to run one for a line. */
  during(fields: Readonly<ContextFields> | undefined, write: () => void): void {
    this.standIn = fields;
    try {
      write();
    } finally {
      this.standIn = undefined;
    }
  }

  /** `,"request_id":"…",…`, or nothing outside of a request. */
  current(): string {
    const current = this.context.current ?? this.standIn;
    return current === undefined ? '' : this.of(current);
  }

  of(fields: Readonly<ContextFields>): string {
    const { requestId, userId, tenantId } = fields;
    if (this.seen === fields && this.requestId === requestId && this.userId === userId && this.tenantId === tenantId)
      return this.text;
    const id = quoted(requestId);
    const correlation = fields.correlationId === requestId ? id : quoted(fields.correlationId);
    let text = `,"request_id":${id},"correlation_id":${correlation}`;
    if (fields.traceparent !== undefined) text += `,"trace_id":${quoted(fields.traceparent.slice(3, 35))}`;
    if (userId !== undefined) text += `,"user_id":${quoted(userId)}`;
    if (tenantId !== undefined) text += `,"tenant_id":${quoted(tenantId)}`;
    this.seen = fields;
    this.requestId = requestId;
    this.userId = userId;
    this.tenantId = tenantId;
    return (this.text = text);
  }
}
