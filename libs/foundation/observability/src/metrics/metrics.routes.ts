import { createHash, timingSafeEqual } from 'node:crypto';
import { type AppState, InfraError } from '@core-infra/kernel';
import type { AbstractHttpAdapter } from '@nestjs/core';
import { MetricsRefusedError } from '../errors.js';
import type { Metrics } from './metrics.js';
import type { MetricsConfig } from './metrics.config.js';
import { type Answer, type RouteRequest, serve } from './metrics.http.js';

/** Puts the route on the HTTP adapter itself: no prefix, version, guard or interceptor of the app reaches it. */
export function mountMetrics(
  adapter: AbstractHttpAdapter,
  metrics: Metrics,
  config: MetricsConfig,
  state: AppState,
): void {
  if (config.path === '') return;
  serve(adapter, config.path, state, async request => {
    if (!isAllowed(config.token, request.authorization)) return refusal(new MetricsRefusedError());
    const { type, body } = await metrics.expose(wantsOpenMetrics(request));
    return { status: 200, type, body };
  });
}

/** Prometheus asks for OpenMetrics first; who does not name it, as a browser, gets Prometheus' own format. */
function wantsOpenMetrics({ accept = '' }: RouteRequest): boolean {
  const open = weightOf(accept, 'application/openmetrics-text');
  return open > 0 && open >= weightOf(accept, 'text/plain');
}

/** The greatest weight that the header gives a type; 0 when it does not name it. */
function weightOf(accept: string, type: string): number {
  const weights = accept.split(',').map(range => {
    const [name = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase());
    if (name !== type) return 0;
    const weight = parameters.find(parameter => parameter.startsWith('q='));
    return weight === undefined ? 1 : Number(weight.slice(2)) || 0;
  });
  return Math.max(0, ...weights);
}

function isAllowed(token: string | undefined, authorization: string | undefined): boolean {
  if (token === undefined) return true;
  const sent = authorization && /^Bearer +(\S+) *$/i.exec(authorization)?.[1];
  return !!sent && timingSafeEqual(digest(sent), digest(token));
}

/** Of equal length whatever was sent, so that the comparison takes the same time for each. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function refusal(error: InfraError): Answer {
  const { problem, code, status } = error;
  const body = JSON.stringify({ success: false, error: problem, error_code: code, details: {} });
  return { status, type: 'application/json; charset=utf-8', body };
}
