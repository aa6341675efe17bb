import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { AppState } from '@core-infra/kernel';

/** What the route needs to know of a request. */
export interface RouteRequest {
  readonly authorization?: string;
  readonly accept?: string;
}

export interface Answer {
  readonly status: number;
  /** Content type. */
  readonly type: string;
  readonly body: string;
}

/** Express' request, which is Node's own, or Fastify's, which holds Node's. */
type AnyRequest = IncomingMessage | { raw: IncomingMessage };

/** Express' response, which is Node's own, or Fastify's reply. */
type AnyResponse = ServerResponse | FastifyReply;

interface FastifyReply {
  readonly raw: ServerResponse;
  code(status: number): FastifyReply;
  headers(values: Record<string, string>): FastifyReply;
  send(body: string): void;
}

/** Answers GET and HEAD of a path on the adapter itself, on Express and Fastify alike. */
export function serve(
  adapter: AbstractHttpAdapter,
  path: string,
  state: AppState,
  answer: (request: RouteRequest) => Promise<Answer>,
): void {
  adapter.get(path, async (request: AnyRequest, response: AnyResponse) => {
    const { headers } = 'raw' in request ? request.raw : request;
    const { authorization, accept } = headers;
    const { status, type, body } = await answer({
      ...(authorization !== undefined && { authorization }),
      ...(accept !== undefined && { accept }),
    });
    send(response, status, body, {
      'content-type': type,
      'content-length': String(Buffer.byteLength(body)),
      'cache-control': 'no-store',
      vary: 'accept',
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
      ...(state.shuttingDown.aborted && { connection: 'close' }),
    });
    return undefined;
  });
}

function send(response: AnyResponse, status: number, body: string, headers: Record<string, string>): void {
  if ('raw' in response) response.code(status).headers(headers).send(body);
  else response.writeHead(status, headers).end(body);
}
