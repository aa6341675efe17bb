import { type ErrorFacts, phraseOf } from './error-facts.js';

/** The body of an error by default. */
export interface ErrorBody {
  readonly success: false;
  /** What is wrong, for people. */
  readonly error: string;
  /** What is wrong, for programs; stable. */
  readonly error_code: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** The body of an error by RFC 9457; what the standard body has in `details` are members of their own here. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly error_code: string;
  readonly [member: string]: unknown;
}

export const STANDARD_TYPE = 'application/json; charset=utf-8';
export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';

export function standardBody({ message, code, details }: ErrorFacts, requestId: string): ErrorBody {
  return { success: false, error: message, error_code: code, details: { request_id: requestId, ...details } };
}

/** @param typeBase what `type` begins with; with nothing, it is `about:blank` */
export function problemBody(
  { status, message, code, details }: ErrorFacts,
  requestId: string,
  path: string,
  typeBase: string,
): ProblemBody {
  return {
    request_id: requestId,
    ...details,
    type: typeBase ? `${typeBase}${code}` : 'about:blank',
    title: phraseOf(status),
    status,
    detail: message,
    instance: path,
    error_code: code,
  };
}

/** Whether an `Accept` header asks for problem details: it names the type, and not with `q=0`. */
export function acceptsProblem(accept: string | undefined): boolean {
  return (accept ?? '').split(',').some(range => {
    const [type, ...parameters] = range.split(';').map(part => part.trim().toLowerCase());
    const refused = parameters.some(parameter => /^q=0(\.0*)?$/.test(parameter));
    return type === 'application/problem+json' && !refused;
  });
}
