import type { IncomingMessage, ServerResponse } from 'node:http';
import type { RequestContext } from '@core-infra/kernel';
import type { ContextFragment } from '../line/context.fragment.js';
import type { JsonEncoder } from '../line/json.encoder.js';
import type { AppLogger } from '../logger/app.logger.js';
import type { AccessLogConfig } from './access-log.config.js';

const maxTargets = 5_000;

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
  private readonly targets = new Map<string, string>();

  constructor(
    private readonly logger: AppLogger,
    private readonly config: AccessLogConfig,
    private readonly context: RequestContext,
    private readonly serving: ContextFragment,
    private readonly encoder: JsonEncoder,
  ) {}

  ended({ request, response, route, durationMs, aborted }: Ended): void {
    const { config } = this;
    const slow = config.slowMs > 0 && durationMs >= config.slowMs;
    const path = pathOf(request as IncomingMessage & { originalUrl?: string });
    if (!slow && this.excluded(path)) return;
    const status = response.statusCode;
    const level = status >= 500 ? 'error' : slow && !aborted ? 'warn' : config.level;
    if (!this.logger.isEnabled(level)) return;
    let fields = `${this.target(request.method ?? '', route)},"path":${this.encoder.text(path)},"status":${status},"duration_ms":${hundredths(durationMs)}`;
    if (slow) fields += ',"slow":true';
    if (aborted) fields += ',"aborted":true';
    // The end of an answer comes from the socket, outside of the request's own scope.
    this.serving.during(this.context.of?.(request), () => this.logger.logEncoded(level, 'request', fields));
  }

  /** Method and route, of which there are few, are encoded once. */
  private target(method: string, route = ''): string {
    const name = `${method} ${route}`;
    const known = this.targets.get(name);
    if (known !== undefined) return known;
    const text = `,"method":${this.encoder.text(method)},"route":${route === '' ? 'null' : this.encoder.text(route)}`;
    if (this.targets.size < maxTargets) this.targets.set(name, text);
    return text;
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

/** With two decimals: `12.05`. Quicker than a fraction's own text. */
function hundredths(value: number): string {
  const whole = Math.round(value * 100);
  const rest = whole % 100;
  return `${(whole - rest) / 100}.${rest < 10 ? '0' : ''}${rest}`;
}
