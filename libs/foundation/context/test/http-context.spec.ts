import { EventEmitter, once } from 'node:events';
import { Agent, type IncomingMessage, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  BadRequestException,
  Body,
  type CanActivate,
  Controller,
  type ExceptionFilter,
  Get,
  Headers,
  Inject,
  Injectable,
  Param,
  Post,
  Req,
  UseGuards,
  VersioningType,
} from '@nestjs/common';
import { APP_FILTER, HttpAdapterHost } from '@nestjs/core';
import { ContextModule, CurrentContext, RequestAbortedError } from '@core-infra/context';
import { type ContextFields, RequestContext } from '@core-infra/kernel';
import { ClsService } from 'nestjs-cls';
import { platforms, serve } from './serve.js';

/** What Fastify has for types of bodies that it does not know. */
interface ParserRegistry {
  addContentTypeParser(
    type: string,
    parse: (request: unknown, body: unknown, done: (error: null) => void) => void,
  ): void;
}

const uuidV7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

@Injectable()
class Deep {
  readonly bus = new EventEmitter();
  readonly signals: AbortSignal[] = [];
  readonly abandoned = new EventEmitter();

  constructor(@Inject(RequestContext) readonly context: RequestContext) {}

  /** Reads the request id in every kind of asynchronous corner. */
  async everywhere(): Promise<(string | undefined)[]> {
    const id = () => this.context.current?.requestId;
    const seen = [id()];
    await Promise.resolve();
    seen.push(id());
    seen.push(await new Promise(resolve => setTimeout(() => resolve(id()), Math.random() * 10)));
    seen.push(await new Promise(resolve => setImmediate(() => resolve(id()))));
    seen.push(await new Promise(resolve => process.nextTick(() => resolve(id()))));
    seen.push(await new Promise(resolve => queueMicrotask(() => resolve(id()))));
    const event = new Promise<string | undefined>(resolve => this.bus.once(id()!, () => resolve(id())));
    this.bus.emit(id()!);
    seen.push(await event);
    const piped = Readable.from(['x']).pipe(new PassThrough());
    piped.on('data', () => seen.push(id()));
    await once(piped, 'end');
    return seen;
  }
}

@Injectable()
class Authenticate implements CanActivate {
  constructor(@Inject(RequestContext) private readonly context: RequestContext) {}
  canActivate(): boolean {
    this.context.set({ userId: 'u-1', tenantId: 't-1' });
    return true;
  }
}

@Controller()
class Probe {
  constructor(
    private readonly deep: Deep,
    private readonly cls: ClsService,
  ) {}

  @Get('context')
  context(@CurrentContext() context: ContextFields, @CurrentContext('requestId') requestId: string) {
    const { correlationId, traceparent, tracestate, deadline, userId } = context;
    return { requestId, correlationId, traceparent, tracestate, deadline, userId, clsId: this.cls.getId() };
  }

  @Get('everywhere')
  everywhere() {
    return this.deep.everywhere();
  }

  @Post('echo')
  async echo(@Body() body: unknown, @CurrentContext('requestId') requestId: string) {
    return { body, requestId, seen: await this.deep.everywhere() };
  }

  @Post('raw')
  raw(@Req() request: { raw?: IncomingMessage } & IncomingMessage) {
    const raw = request.raw ?? request;
    const seen: string[] = [];
    const note = (event: string) => seen.push(`${event} ${this.deep.context.current?.requestId}`);
    return new Promise(resolve => {
      raw.on('data', () => note('data'));
      raw.on('end', () => resolve((note('end'), seen)));
      this.deep.abandoned.emit('listening');
    });
  }

  @Get('user')
  @UseGuards(Authenticate)
  async user() {
    await sleep(1);
    const { userId, tenantId } = this.deep.context.current!;
    return { userId, tenantId };
  }

  @Get('fail/:how')
  fail(@Param('how') how: string) {
    if (how === 'bad') throw new BadRequestException();
    throw new Error('boom');
  }

  @Get('wait')
  async wait(@CurrentContext('signal') signal: AbortSignal, @Headers('x-mark') mark: string) {
    this.deep.signals.push(signal);
    this.deep.abandoned.emit('waiting', mark);
    await once(signal, 'abort');
    this.deep.abandoned.emit('aborted', signal.reason);
    throw signal.reason;
  }
}

/** Answers with the context that an exception filter sees. */
@Injectable()
class Filter implements ExceptionFilter {
  constructor(
    @Inject(RequestContext) private readonly context: RequestContext,
    private readonly host: HttpAdapterHost,
  ) {}
  catch(error: unknown, host: import('@nestjs/common').ArgumentsHost) {
    const status =
      (error as { getStatus?: () => number }).getStatus?.() ?? (error as { status?: number }).status ?? 500;
    this.host.httpAdapter.reply(host.switchToHttp().getResponse(), { seen: this.context.current?.requestId }, status);
  }
}

describe.each(platforms)('context over HTTP on %s', platform => {
  const start = (options: Parameters<typeof ContextModule.forRoot>[0] = {}, prepare?: Parameters<typeof serve>[2]) =>
    serve(
      platform,
      {
        imports: [ContextModule.forRoot(options)],
        controllers: [Probe],
        providers: [Deep, Authenticate, { provide: APP_FILTER, useClass: Filter } as never],
      },
      app => {
        // Fastify hands a body that it is told not to read to the handler; Express does so with any type it does not know.
        if (platform === 'fastify')
          (app.getHttpAdapter().getInstance() as ParserRegistry).addContentTypeParser('text/x-lines', (_r, _p, done) =>
            done(null),
          );
        prepare?.(app);
      },
    );
  const get = async (url: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url, { headers });
    return { status: response.status, id: response.headers.get('x-request-id'), body: (await response.json()) as any };
  };

  it('takes a sane request id over and answers with it', async () => {
    await using served = await start();
    const { id, body } = await get(`${served.url}/context`, {
      'x-request-id': 'abc-123/x',
      'x-correlation-id': 'order:9',
    });
    expect(id).toBe('abc-123/x');
    expect(body).toMatchObject({ requestId: 'abc-123/x', correlationId: 'order:9', clsId: 'abc-123/x' });
  });

  it('makes a UUIDv7 when there is none, which is the correlation id too', async () => {
    await using served = await start();
    const { id, body } = await get(`${served.url}/context`);
    expect(id).toMatch(uuidV7);
    expect(body).toMatchObject({ requestId: id, correlationId: id });
    expect((await get(`${served.url}/context`)).id).not.toBe(id);
  });

  it.each(['a b', 'x'.repeat(129), '<script>', 'a"b', 'a,b', 'a;b', '{}', 'ü'])(
    'replaces the insane id %j',
    async insane => {
      await using served = await start();
      const { id, body } = await get(`${served.url}/context`, { 'x-request-id': insane, 'x-correlation-id': insane });
      expect(id).toMatch(uuidV7);
      expect(body).toMatchObject({ requestId: id, correlationId: id });
    },
  );

  it('ignores callers where they are not trusted, and has other header names', async () => {
    await using served = await start({ trustRequestId: false, requestIdHeader: 'x-trace', trustTraceContext: false });
    const response = await fetch(`${served.url}/context`, {
      headers: { 'x-trace': 'mine', traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' },
    });
    expect(response.headers.get('x-trace')).toMatch(uuidV7);
    expect(response.headers.has('x-request-id')).toBe(false);
    expect(await response.json()).not.toHaveProperty('traceparent');
  });

  it('answers with the id also when nothing matches, and when the handler or the body fails', async () => {
    await using served = await start();
    for (const [path, status] of [
      ['/nowhere', 404],
      ['/fail/bad', 400],
      ['/fail/hard', 500],
    ] as const) {
      const answer = await get(served.url + path, { 'x-request-id': 'r-1' });
      expect(answer).toEqual({ status, id: 'r-1', body: { seen: 'r-1' } });
    }
    const invalid = await fetch(`${served.url}/echo`, {
      method: 'POST',
      body: '{"unfinished',
      headers: { 'content-type': 'application/json', 'x-request-id': 'r-2' },
    });
    expect([invalid.status, invalid.headers.get('x-request-id'), await invalid.json()]).toEqual([
      400,
      'r-2',
      { seen: 'r-2' },
    ]);
  });

  it('keeps the context when the body arrives packet by packet, and so does the filter of a body that fails', async () => {
    await using served = await start();
    const { port } = served.app.getHttpServer().address() as { port: number };
    const post = async (id: string, chunks: string[]) => {
      const length = Buffer.byteLength(chunks.join(''));
      const request = httpRequest({
        port,
        method: 'POST',
        path: '/echo',
        headers: { 'x-request-id': id, 'content-type': 'application/json', 'content-length': length },
      });
      request.flushHeaders();
      for (const chunk of chunks) {
        await sleep(20);
        request.write(chunk);
      }
      request.end();
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      return JSON.parse(Buffer.concat(await response.toArray()).toString()) as { seen: unknown; requestId?: string };
    };
    const good = await post('slow-1', ['{"a":', '1', '}']);
    expect(good).toMatchObject({ body: { a: 1 }, requestId: 'slow-1' });
    expect(new Set(good.seen as string[])).toEqual(new Set(['slow-1']));
    expect(await post('slow-2', ['{"a":', '1'])).toEqual({ seen: 'slow-2' });
  });

  it('keeps the context in listeners of the raw request', async () => {
    await using served = await start();
    const { port } = served.app.getHttpServer().address() as { port: number };
    const request = httpRequest({
      port,
      method: 'POST',
      path: '/raw',
      headers: { 'x-request-id': 'raw-1', 'content-type': 'text/x-lines', 'content-length': 10 },
    });
    request.flushHeaders();
    const answered = once(request, 'response') as Promise<[IncomingMessage]>;
    const deep = served.app.get(Deep);
    await once(deep.abandoned, 'listening');
    request.write('12345');
    await sleep(20);
    request.end('67890');
    const [response] = await answered;
    const seen = JSON.parse(Buffer.concat(await response.toArray()).toString()) as string[];
    expect(new Set(seen)).toEqual(new Set(['data raw-1', 'end raw-1']));
  });

  it('never mixes 1,000 interleaved requests, on kept-alive sockets', async () => {
    await using served = await start();
    const { port } = served.app.getHttpServer().address() as { port: number };
    const agent = new Agent({ keepAlive: true, maxSockets: 50 });
    const call = (index: number) =>
      new Promise<void>((resolve, reject) => {
        const id = `req-${index}`;
        const body = index % 2 ? JSON.stringify({ index }) : undefined;
        const request = httpRequest(
          {
            port,
            agent,
            path: body ? '/echo' : '/everywhere',
            method: body ? 'POST' : 'GET',
            headers: {
              'x-request-id': id,
              ...(body ? { 'content-type': 'application/json', 'content-length': body.length } : {}),
            },
          },
          response => {
            response
              .toArray()
              .then(chunks => {
                const answer = JSON.parse(Buffer.concat(chunks).toString()) as string[] | { seen: string[] };
                const seen = Array.isArray(answer) ? answer : answer.seen;
                expect(seen).toEqual(Array.from({ length: 8 }, () => id));
                expect(response.headers['x-request-id']).toBe(id);
              })
              .then(resolve, reject);
          },
        );
        request.on('error', reject);
        request.end(body);
      });
    try {
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => call(index)));
    } finally {
      agent.destroy();
    }
  });

  it('keeps requests apart that arrive in one packet', async () => {
    await using served = await start();
    const { port } = served.app.getHttpServer().address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    const ids = Array.from({ length: 20 }, (_, index) => `pipelined-${index}`);
    socket.write(
      ids
        .map((id, index) => {
          const last = index === ids.length - 1 ? 'Connection: close\r\n' : '';
          return `GET /everywhere HTTP/1.1\r\nHost: x\r\nX-Request-Id: ${id}\r\n${last}\r\n`;
        })
        .join(''),
    );
    const text = Buffer.concat(await socket.toArray()).toString();
    const bodies = [...text.matchAll(/\["pipelined[^\]]*\]/g)].map(([body]) => JSON.parse(body) as string[]);
    expect(bodies).toEqual(ids.map(id => Array.from({ length: 8 }, () => id)));
  });

  it('does not carry what one request set to the next on the same socket', async () => {
    await using served = await start();
    const { port } = served.app.getHttpServer().address() as { port: number };
    const socket = connect(port, '127.0.0.1');
    const ask = async (path: string) => {
      socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
      let text = '';
      while (!/\r\n\r\n.*\}/s.test(text)) text += String((await once(socket, 'data'))[0]);
      return text.slice(text.indexOf('{'), text.lastIndexOf('}') + 1);
    };
    expect(JSON.parse(await ask('/user'))).toEqual({ userId: 'u-1', tenantId: 't-1' });
    expect(JSON.parse(await ask('/context'))).not.toHaveProperty('userId');
    socket.destroy();
  });

  it('is begun once where the module is imported twice', async () => {
    await using served = await serve(platform, {
      imports: [ContextModule.forRoot(), ContextModule.forRoot({ maxIdLength: 20 })],
      controllers: [Probe],
      providers: [Deep, Authenticate],
    });
    const { id, body } = await get(`${served.url}/context`);
    expect(body.requestId).toBe(id);
  });

  it('takes over a valid trace context and no other', async () => {
    await using served = await start();
    const valid = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
    expect((await get(`${served.url}/context`, { traceparent: valid, tracestate: 'a=1' })).body).toMatchObject({
      traceparent: valid,
      tracestate: 'a=1',
    });
    for (const invalid of [
      valid.toUpperCase(),
      valid.replace('0af7651916cd43dd8448eb211c80319c', '0'.repeat(32)),
      `ff${valid.slice(2)}`,
      `${valid}-x`,
      'nonsense',
    ]) {
      const { body } = await get(`${served.url}/context`, { traceparent: invalid, tracestate: 'a=1' });
      expect(body).not.toHaveProperty('traceparent');
      expect(body).not.toHaveProperty('tracestate');
    }
  });

  it('bounds the deadline that a caller asks for', async () => {
    await using served = await start({ maxTimeoutMs: 5_000 });
    const left = async (value: string) => {
      const before = Date.now();
      const { body } = await get(`${served.url}/context`, { 'x-request-timeout-ms': value });
      return body.deadline === undefined
        ? undefined
        : { least: body.deadline - Date.now(), most: body.deadline - before };
    };
    expect((await left('2000'))!.least).toBeLessThanOrEqual(2_000);
    expect((await left('2000'))!.most).toBeGreaterThanOrEqual(2_000);
    expect((await left('3S'))!.most).toBeGreaterThanOrEqual(3_000);
    expect((await left('9H'))!.least).toBeLessThanOrEqual(5_000);
    expect((await left('9H'))!.most).toBeGreaterThanOrEqual(5_000);
    expect(await left('soon')).toBeUndefined();
    expect(await left('-5')).toBeUndefined();
  });

  it('aborts the signal when the caller hangs up', async () => {
    await using served = await start();
    const deep = served.app.get(Deep);
    const waiting = once(deep.abandoned, 'waiting');
    const aborted = once(deep.abandoned, 'aborted');
    const controller = new AbortController();
    const call = fetch(`${served.url}/wait`, { signal: controller.signal }).catch(() => undefined);
    await waiting;
    expect(deep.signals[0]!.aborted).toBe(false);
    controller.abort();
    expect((await aborted)[0]).toBeInstanceOf(RequestAbortedError);
    await call;
  });

  it('aborts the signal when the deadline passes', async () => {
    await using served = await start();
    const response = await get(`${served.url}/wait`, { 'x-request-timeout-ms': '30' });
    expect(response.status).toBe(504);
    expect(served.app.get(Deep).signals[0]!.reason).toMatchObject({ code: 'INFRA_DEADLINE_EXCEEDED' });
  });

  it('works with a global prefix, versions and body parsers', async () => {
    await using served = await start({}, app => {
      app.setGlobalPrefix('api');
      app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' });
    });
    const at = (path: string) => get(served.url + path, { 'x-request-id': 'p-1' });
    expect(await at('/api/v1/context')).toMatchObject({ id: 'p-1', status: 200, body: { requestId: 'p-1' } });
    expect(await at('/api/context')).toMatchObject({ id: 'p-1', status: 404 });
    // Outside of the prefix Express answers by itself, in HTML.
    const outside = await fetch(`${served.url}/context`, { headers: { 'x-request-id': 'p-2' } });
    expect([outside.status, outside.headers.get('x-request-id')]).toEqual([404, 'p-2']);
  });
});
