import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_SESSIONS_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The store of the sessions is away, so that nobody can say whether a session is still good.',
})
export class SessionsUnavailableError extends InfraError {
  constructor(id: string, options?: ErrorOptions) {
    super(`${id}: the store is away.`, 'Look at /health/redis; sessions are there again once it answers.', options);
  }
}

@ErrorSpec({
  code: 'INFRA_SESSION_CONTENDED',
  status: 409,
  retryable: true,
  summary: 'A session was changed by others each time that it was to be updated.',
})
export class SessionContendedError extends InfraError {
  constructor(readonly attempts: number) {
    super(`A session was changed by others ${attempts} times while it was updated.`, 'Update it less often.');
  }
}

@ErrorSpec({
  code: 'INFRA_SESSIONS_IN_TIERS',
  summary: 'Sessions stand on a cache that keeps copies in the memory of each process.',
})
export class SessionsInTiersError extends InfraError {
  constructor(id: string) {
    super(
      `${id} stands on a cache with driver "redis", where other processes could serve a session after its end.`,
      'Set sessions.driver (SESSIONS_DRIVER) to redis; or register a cache in memory by name, and pass { on: "<name>" } to SessionsModule.',
    );
  }
}
