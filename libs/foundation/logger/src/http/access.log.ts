import type { IncomingMessage, ServerResponse } from 'node:http';
import { RequestContext } from '@core-infra/kernel';
import type { AppLogger } from '../logger/app.logger.js';
import type { AccessLogConfig } from './access-log.config.js';

/** What is known of a request at its end. */
export interface Ended {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The route's template, where one matched. */
  readonly route: string | undefined;
  readonly durationMs: number;
  /** Whether the caller hung up before the answer was complete. */
  readonly aborted: boolean;
}

/** Writes one line per request. */
export class AccessLog {
  constructor(
    private readonly logger: AppLogger,
    private readonly config: AccessLogConfig,
    private readonly context: RequestContext,
  ) {}

  ended({ request, response, route, durationMs, aborted }: Ended): void {
    const { config } = this;
    const slow = config.slowMs > 0 && durationMs >= config.slowMs;
    const path = pathOf(request as IncomingMessage & { originalUrl?: string });
    if (!slow && this.excluded(path)) return;
    const status = response.statusCode;
    const level = status >= 500 ? 'error' : slow && !aborted ? 'warn' : config.level;
    if (!this.logger.isEnabled(level)) return;
    const fields: Record<string, unknown> = {
      method: request.method,
      route: route ?? null,
      path,
      status,
      duration_ms: Math.round(durationMs * 1_000) / 1_000,
    };
    if (slow) fields.slow = true;
    if (aborted) fields.aborted = true;
    const write = () => this.logger.log(level, 'request', fields);
    // The end of an answer may come from the socket, outside of the request's own scope.
    const context = this.context.current ? undefined : this.context.of?.(request);
    if (context) this.context.run(context, write);
    else write();
  }

  private excluded(path: string): boolean {
    for (const prefix of this.config.exclude) {
      if (
        path.startsWith(prefix) &&
        (path.length === prefix.length || prefix.endsWith('/') || path[prefix.length] === '/')
      )
        return true;
    }
    return false;
  }
}

/** Without the query string, which may hold secrets. */
function pathOf({ originalUrl, url = '' }: { originalUrl?: string; url?: string }): string {
  const whole = originalUrl ?? url;
  const end = whole.indexOf('?');
  return end < 0 ? whole : whole.slice(0, end);
}
