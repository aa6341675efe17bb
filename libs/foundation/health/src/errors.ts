import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_DUPLICATE_CHECK', summary: 'Two health checks have the same name.' })
export class DuplicateCheckError extends InfraError {
  constructor(
    readonly check: string,
    readonly owners: readonly [string, string],
  ) {
    super(
      `Two health checks are named "${check}": that of ${owners[0]} and that of ${owners[1]}.`,
      'Give one of them another name: the argument of @HealthContributor or of HealthService.add, or healthName in the configuration of a connection.',
    );
  }
}

@ErrorSpec({ code: 'INFRA_INVALID_CHECK', summary: 'A health check has a name or a shape that cannot be served.' })
export class InvalidCheckError extends InfraError {
  constructor(
    readonly check: string,
    problem: string,
    fix: string,
  ) {
    super(`The health check "${check}" ${problem}.`, fix);
  }
}

@ErrorSpec({ code: 'INFRA_HEALTH_REGISTERED_TWICE', summary: 'HealthModule is registered more than once.' })
export class HealthRegisteredTwiceError extends InfraError {
  constructor(readonly importers: readonly string[]) {
    super(
      `HealthModule is registered ${importers.length} times, in ${importers.join(' and in ')}.`,
      'Register it once; it is global. CoreInfraModule brings it: set its section "health" instead.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_UNKNOWN_CHECK',
  status: 404,
  fault: 'client',
  summary: 'A health check is asked for by a name that none has.',
})
export class UnknownCheckError extends InfraError {
  constructor(
    readonly check: string,
    readonly known: readonly string[],
  ) {
    super(
      `No health check is named "${check}".`,
      known.length > 0 ? `Ask for one of: ${known.join(', ')}.` : 'No check is registered.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_CHECK_TIMEOUT',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A health check did not answer within its budget, or within the deadline of the whole answer.',
})
export class CheckTimeoutError extends InfraError {
  constructor(
    readonly check: string,
    readonly budgetMs: number,
  ) {
    super(
      `The health check "${check}" did not answer within ${budgetMs} ms.`,
      'Look at what it asks; raise its timeoutMs (checkTimeoutMs of a connection) if that is normal.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_HEALTH_DETAILS_REFUSED',
  status: 401,
  fault: 'client',
  summary: 'Health is guarded, and the caller showed neither the token nor comes from a configured network.',
})
export class HealthRefusedError extends InfraError {
  constructor() {
    super('This answer is for authorised eyes.', 'Send the header "Authorization: Bearer <health.token>".');
  }
}

@ErrorSpec({
  code: 'INFRA_THRESHOLD_EXCEEDED',
  status: 503,
  summary: 'A built-in check of the process measured more than its down threshold.',
})
export class ThresholdExceededError extends InfraError {
  constructor(
    readonly what: string,
    readonly value: string,
    readonly threshold: string,
  ) {
    super(
      `${what[0]!.toUpperCase()}${what.slice(1)} is ${value}, at or above ${threshold}.`,
      'Find out what uses it, or raise the threshold in the section "health".',
    );
  }
}
