import type { ErrorBody } from './error-body.js';
import { codeOf, type ErrorFacts } from './error-facts.js';

export interface ErrorResponseOptions {
  /** What is wrong, for people. */
  message: string;
  /** What is wrong, for programs. @default the status's own: `NOT_FOUND` for 404 */
  errorCode?: string;
  /** HTTP status of the answer. @default 500 */
  statusCode?: number;
  /** What else is to be said; the request's id is added when it is sent. */
  details?: Record<string, unknown>;
}

/** An error body that a handler returns, or throws; it is sent with its own status, in the format that the caller accepts. */
export class ErrorResponse implements ErrorBody {
  readonly success = false as const;
  readonly error: string;
  readonly error_code: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly #statusCode: number;

  constructor({ message, errorCode, statusCode = 500, details = {} }: ErrorResponseOptions) {
    this.error = message;
    this.error_code = errorCode ?? codeOf(statusCode);
    this.details = details;
    this.#statusCode = statusCode;
  }

  /** HTTP status of the answer; it is no part of the body. */
  get statusCode(): number {
    return this.#statusCode;
  }
}

/** Builds an error answer, for handlers that return one instead of throwing. */
export function createErrorResponse(options: ErrorResponseOptions): ErrorResponse {
  return new ErrorResponse(options);
}

export function factsOfResponse({ statusCode, error, error_code, details }: ErrorResponse): ErrorFacts {
  return { status: statusCode, code: error_code, message: error, details };
}
