import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import {
  applyDecorators,
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  Logger,
  type NestInterceptor,
  Optional,
  SetMetadata,
  StreamableFile,
  UseInterceptors,
} from '@nestjs/common';
import { RequestContext } from '@core-infra/kernel';
import { Observable, of } from 'rxjs';
import { OutboxRelay } from '../outbox.js';
import { digestOf } from '../stores/encoding.js';
import { type Captured, captureAnswer } from './capture-answer.js';
import { accepts, decoded } from './content-encoding.js';
import {
  AnswerNotKeptError,
  IdempotencyKeyBusyError,
  IdempotencyKeyRequiredError,
  IdempotencyKeyReusedError,
} from './errors.js';
import type { HeldKey } from './held-key.js';
import type { Answer } from './idempotency-keys.js';
import { keyOf } from './key-header.js';

export interface IdempotencyKeyOptions {
  /** Whether a request without a key is refused (400), or handled like any other. @default true */
  readonly required?: boolean;
}

const OPTIONS = 'core-infra:idempotency key';

/** What Express' and Fastify's requests and responses have in common. */
interface Request {
  readonly method: string;
  readonly url: string;
  readonly originalUrl?: string;
  readonly headers: IncomingHttpHeaders;
  readonly body?: unknown;
}
interface Response {
  readonly raw?: ServerResponse;
  getHeaders(): OutgoingHttpHeaders;
  status(code: number): unknown;
  header(name: string, value: unknown): unknown;
  removeHeader(name: string): unknown;
}

/** Of the connection, of this one delivery, or secret: not part of what is kept. */
const notKept = new Set([
  'connection',
  'content-length',
  'date',
  'keep-alive',
  'set-cookie',
  'trailer',
  'transfer-encoding',
]);

/**
 * Answers a request that comes again with the same `Idempotency-Key` as it was answered the first time: with the same status, headers and body
 * (draft-ietf-httpapi-idempotency-key-header-07). For one route or a controller by {@link IdempotencyKey}.
 */
@Injectable()
export class IdempotencyKeyInterceptor implements NestInterceptor {
  private readonly logger = new Logger('IdempotencyKey');

  constructor(
    private readonly outbox: OutboxRelay,
    @Optional() @Inject(RequestContext) private readonly context: RequestContext = RequestContext.none,
  ) {}

  async intercept(call: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const options = optionsOf(call);
    const request = call.switchToHttp().getRequest<Request>();
    const response = call.switchToHttp().getResponse<Response>();
    const key = keyOf(request.headers['idempotency-key']);
    if (key === undefined) {
      if (options.required ?? true) throw new IdempotencyKeyRequiredError('The header Idempotency-Key is missing.');
      return next.handle();
    }
    const keys = this.outbox.idempotency;
    const { userId = '', tenantId = '' } = this.context.current ?? {};
    const scope = digestOf(tenantId, userId, `${call.getClass().name}.${call.getHandler().name}`, key);
    const claim = await keys.claim(scope, fingerprintOf(request));
    if ('reused' in claim) throw new IdempotencyKeyReusedError();
    if ('busy' in claim) throw new IdempotencyKeyBusyError();
    if ('answer' in claim) return of(await answered(request, response, claim.answer));
    const { held } = claim;
    const before = response.getHeaders();
    captureAnswer(response.raw ?? (response as unknown as ServerResponse), keys.config.maxAnswerBytes, captured =>
      this.keep(held, before, captured),
    );
    return new Observable(subscriber => held.run(() => next.handle().subscribe(subscriber)));
  }

  private async keep(held: HeldKey, before: OutgoingHttpHeaders, { status, headers, body }: Captured): Promise<void> {
    try {
      await held.end(status, body && { status, body, headers: changes(before, headers) });
    } catch (error) {
      const outcome = held.isMarked
        ? 'the same request is refused with INFRA_IDEMPOTENCY_ANSWER_NOT_KEPT when it comes again, as it is done'
        : 'the same request is handled again when it comes again after outbox.idempotency.leaseMs';
      this.logger.error({ msg: `An answer could not be kept: ${outcome}`, err: error });
    }
  }
}

/** Has a route, or all of a controller, heed the header `Idempotency-Key`. For what creates or changes something: POST, PATCH. */
export function IdempotencyKey(options: IdempotencyKeyOptions = {}): ClassDecorator & MethodDecorator {
  return applyDecorators(SetMetadata(OPTIONS, options), UseInterceptors(IdempotencyKeyInterceptor));
}

function optionsOf(call: ExecutionContext): IdempotencyKeyOptions {
  const of = (target: object): IdempotencyKeyOptions | undefined =>
    Reflect.getMetadata(OPTIONS, target) as IdempotencyKeyOptions | undefined;
  return of(call.getHandler()) ?? of(call.getClass()) ?? {};
}

function fingerprintOf({ method, url, originalUrl = url, body }: Request): Buffer {
  const content = Buffer.isBuffer(body) ? body.toString('base64') : (JSON.stringify(body) ?? '');
  return digestOf(method, originalUrl, content);
}

/** What the handler's answer has added to what every answer has. */
function changes(before: OutgoingHttpHeaders, after: OutgoingHttpHeaders): Answer['headers'] {
  const changed: Record<string, string | readonly string[]> = {};
  for (const [given, value] of Object.entries(after)) {
    const name = given.toLowerCase();
    if (value === undefined || notKept.has(name)) continue;
    // The body is only known with its encoding, though the route says it of every answer.
    if (name !== 'content-encoding' && String(before[name]) === String(value)) continue;
    changed[name] = Array.isArray(value) ? value : String(value);
  }
  return changed;
}

async function answered(request: Request, response: Response, answer: Answer | undefined): Promise<StreamableFile> {
  if (!answer) throw new AnswerNotKeptError();
  const { status } = answer;
  const { body, headers } = await readable(answer, request.headers['accept-encoding']);
  response.status(status);
  response.removeHeader('content-encoding');
  for (const [name, value] of Object.entries(headers)) response.header(name, value);
  const type = headers['content-type'];
  return new StreamableFile(body, { length: body.length, ...(typeof type === 'string' && { type }) });
}

/** The answer as this caller can read it, who need not accept the encoding that the first one did. */
async function readable(answer: Answer, accepted: string | string[] | undefined): Promise<Omit<Answer, 'status'>> {
  const { 'content-encoding': encoding, ...headers } = answer.headers;
  if (typeof encoding !== 'string' || accepts(accepted, encoding)) return answer;
  const body = await decoded(answer.body, encoding);
  return body ? { body, headers } : answer;
}
