import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AbstractHttpAdapter } from '@nestjs/core';
import type { AppState } from '@core-infra/kernel';

/** What a health route needs to know of a request. */
export interface HealthRequest {
  readonly authorization?: string;
  /** Address of the socket, whatever proxies say. */
  readonly remoteAddress?: string;
  /** The last part of `/health/:name`. */
  readonly name?: string;
}

export interface HealthAnswer {
  readonly status: number;
  /** JSON. */
  readonly body: string;
}

type Answer = (request: HealthRequest) => HealthAnswer | Promise<HealthAnswer>;

/** Express' request, which is Node's own, or Fastify's, which holds Node's. */
type AnyRequest = (IncomingMessage | { raw: IncomingMessage }) & { params?: { name?: string } };

/** Express' response, which is Node's own, or Fastify's reply. */
type AnyResponse = ServerResponse | FastifyReply;

interface FastifyReply {
  readonly raw: ServerResponse;
  code(status: number): FastifyReply;
  headers(values: Record<string, string>): FastifyReply;
  send(body: string): void;
}

/** Answers GET and HEAD of a path on the adapter itself, on Express and Fastify alike. */
export function serve(adapter: AbstractHttpAdapter, path: string, state: AppState, answer: Answer): void {
  const handle = (request: AnyRequest, response: AnyResponse) => {
    const { headers, socket } = 'raw' in request ? request.raw : request;
    const given = answer({
      authorization: headers.authorization,
      remoteAddress: socket.remoteAddress,
      name: request.params?.name,
    });
    if (given instanceof Promise) return given.then(done => send(response, done, state));
    return send(response, given, state);
  };
  adapter.get(path, handle);
  if (tellsSlashes(adapter)) adapter.get(`${path}/`, handle);
}

/** Express takes `/health/` for `/health`; Fastify does so only where it is told to. */
function tellsSlashes(adapter: AbstractHttpAdapter): boolean {
  if (adapter.getType() !== 'fastify') return false;
  type Routing = { ignoreTrailingSlash?: boolean };
  const { initialConfig } = adapter.getInstance() as { initialConfig: Routing & { routerOptions?: Routing } };
  return !(initialConfig.routerOptions?.ignoreTrailingSlash ?? initialConfig.ignoreTrailingSlash);
}

function send(response: AnyResponse, { status, body }: HealthAnswer, state: AppState): void {
  const headers = {
    'content-type': 'application/json; charset=utf-8',
    'content-length': String(Buffer.byteLength(body)),
    'cache-control': 'no-store',
    ...(status === 401 ? { 'www-authenticate': 'Bearer' } : {}),
    ...(state.shuttingDown.aborted ? { connection: 'close' } : {}),
  };
  if ('raw' in response) response.code(status).headers(headers).send(body);
  else response.writeHead(status, headers).end(body);
}
