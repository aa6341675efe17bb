import { STATUS_CODES } from 'node:http';
import { type Classification, InfraError } from '@core-infra/kernel';
import { HttpException, HttpStatus } from '@nestjs/common';
import { errorDetails } from './error-details.js';

/** What an answer says of an error, in whichever format it is written. */
export interface ErrorFacts {
  readonly status: number;
  readonly code: string;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  /** Least time before the same call may succeed, in milliseconds. */
  readonly retryAfterMs?: number;
}

export interface ErrorReading {
  /** What the drivers of the app's connections know of an error. */
  classify(error: unknown): Classification;
  /** For a retryable error that names no time of its own, in milliseconds. */
  readonly retryAfterMs: number;
}

/** Reads off any thrown value what its answer says. What the caller must not see is not in it. */
export function factsOf(error: unknown, reading: ErrorReading): ErrorFacts {
  if (error instanceof InfraError) return ofInfraError(error, reading);
  if (error instanceof HttpException) return ofHttpException(error);
  if (isFastifyValidation(error)) return generic(HttpStatus.BAD_REQUEST, {}, error.message);
  const { fault, retryable, retryAfterMs } = reading.classify(error);
  if (fault === 'dependency' && retryable)
    return {
      ...generic(HttpStatus.SERVICE_UNAVAILABLE),
      retryAfterMs: retryAfterMs ?? reading.retryAfterMs,
    };
  return generic(HttpStatus.INTERNAL_SERVER_ERROR);
}

/** `NOT_FOUND` for 404: Nest's name of the status, else its phrase. */
export function codeOf(status: number): string {
  if (status === 500) return 'INTERNAL_ERROR';
  return (HttpStatus[status] as string | undefined) ?? phraseOf(status).toUpperCase().replace(/\W+/g, '_');
}

export function phraseOf(status: number): string {
  return STATUS_CODES[status] ?? 'Error';
}

function generic(
  status: number,
  details: Record<string, unknown> = {},
  message: string = phraseOf(status),
): ErrorFacts {
  return { status, code: codeOf(status), message, details };
}

/** The text and data of our own 5xx, and of any 500, are for the log: they name servers and settings. */
function ofInfraError(error: InfraError, reading: ErrorReading): ErrorFacts {
  const { code, status, problem, retryable } = error;
  const forCaller = status < 500 || (status > 500 && !code.startsWith('INFRA_'));
  const mayReturn = retryable && (status === 503 || status === 429);
  const own = (error as { retryAfterMs?: unknown }).retryAfterMs;
  return {
    status,
    code: status === 500 && code.startsWith('INFRA_') ? 'INTERNAL_ERROR' : code,
    message: forCaller ? problem : phraseOf(status),
    details: forCaller ? errorDetails(error) : {},
    ...(mayReturn && { retryAfterMs: typeof own === 'number' ? own : reading.retryAfterMs }),
  };
}

function ofHttpException(error: HttpException): ErrorFacts {
  const status = error.getStatus();
  const malformed = malformedBody(error.cause);
  if (malformed) return generic(status, {}, malformed);
  const response: unknown = error.getResponse();
  const code = error.errorCode === undefined ? codeOf(status) : String(error.errorCode);
  if (typeof response === 'string') return { status, code, message: response, details: {} };
  if (typeof response !== 'object' || response === null || response instanceof Error)
    return { status, code, message: phraseOf(status), details: {} };
  const {
    message,
    error: title,
    error_code,
    details,
    statusCode: _,
    errorCode: __,
    success: ___,
    ...rest
  } = response as Record<string, unknown>;
  const texts = Array.isArray(message) ? { messages: message as unknown[] } : {};
  const text = [message, title].find(candidate => typeof candidate === 'string') as string | undefined;
  return {
    status,
    code: typeof error_code === 'string' ? error_code : code,
    message: text ?? phraseOf(status),
    details: errorDetails({ ...texts, ...rest, ...(isRecord(details) ? details : {}) }),
  };
}

/** Parsers quote the input in their messages; what they mean is said in our own words. */
function malformedBody(cause: unknown): string | undefined {
  const { type, code } = (cause ?? {}) as { type?: unknown; code?: unknown };
  const malformed =
    cause instanceof SyntaxError || type === 'entity.parse.failed' || code === 'FST_ERR_CTP_INVALID_JSON_BODY';
  return malformed ? 'The request body is not valid JSON' : undefined;
}

function isFastifyValidation(error: unknown): error is Error {
  return error instanceof Error && (error as { code?: unknown }).code === 'FST_ERR_VALIDATION';
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
