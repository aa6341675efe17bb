import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** A limit that cannot be meant so. */
@ErrorSpec({ code: 'INFRA_RATE_LIMIT_INVALID', summary: 'A rate limit, or the cost of a request, makes no sense.' })
export class InvalidLimitError extends InfraError {
  constructor(
    /** Name of the limit, as it was given. */
    readonly limit: string,
    /** What is wrong: `name`, `windows[0].limit`, `cost`, … */
    readonly field: string,
    expected: string,
    got: unknown,
    fix: string,
  ) {
    super(`The rate limit ${limit} has ${field} = ${got as string}, where ${expected} is expected.`, fix);
  }
}
