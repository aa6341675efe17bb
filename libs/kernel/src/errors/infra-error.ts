/** Whose fault an error is, for service levels: the caller's, ours, or that of something we depend on. */
export type Fault = 'client' | 'server' | 'dependency';

/** What an error class states once; {@link InfraError} copies it onto every instance. */
export interface ErrorMetadata {
  /** Stable and upper case. Codes of this project begin with `INFRA_`; an app's own do not. */
  readonly code: string;
  /** HTTP status of the answer when the error reaches a request. @default 500 */
  readonly status: number;
  /** @default 'server' */
  readonly fault: Fault;
  /** Whether the same call may succeed later without a change. @default false */
  readonly retryable: boolean;
  /** One sentence for the catalogue: when this error is raised. */
  readonly summary: string;
}

type ErrorSpecInput = Pick<ErrorMetadata, 'code' | 'summary'> & Partial<ErrorMetadata>;

const metadata = new WeakMap<object, ErrorMetadata>();

/**
 * States the code, HTTP status, fault and retryability of an {@link InfraError} class.
 *
 * ```ts no-check
 * @ErrorSpec({ code: 'ORDER_ALREADY_PAID', status: 409, fault: 'client', summary: 'An order is paid twice.' })
 * export class OrderAlreadyPaidError extends InfraError {}
 * ```
 */
export function ErrorSpec(spec: ErrorSpecInput): ClassDecorator {
  return target => {
    metadata.set(target, { status: 500, fault: 'server', retryable: false, ...spec });
  };
}

/** The metadata of an error class, or of the nearest of its ancestors that has any. */
export function errorMetadata(errorClass: object): ErrorMetadata | undefined {
  for (let at: object | null = errorClass; at; at = Object.getPrototypeOf(at) as object | null) {
    const found = metadata.get(at);
    if (found) return found;
  }
  return undefined;
}

/**
 * Every error of this project: a stable `code`, the problem, the fix, and the cause if there is one.
 * Subclasses are decorated with {@link ErrorSpec} and keep their data as fields.
 */
export abstract class InfraError extends Error {
  readonly code: string;
  readonly status: number;
  readonly fault: Fault;
  readonly retryable: boolean;

  constructor(
    readonly problem: string,
    readonly fix: string = '',
    options?: ErrorOptions,
  ) {
    super(fix ? `${problem} ${fix}` : problem, options);
    this.name = new.target.name;
    const spec = errorMetadata(new.target);
    if (!spec) throw new TypeError(`${new.target.name} extends InfraError without @ErrorSpec({ code, summary }).`);
    this.code = spec.code;
    this.status = spec.status;
    this.fault = spec.fault;
    this.retryable = spec.retryable;
  }
}
