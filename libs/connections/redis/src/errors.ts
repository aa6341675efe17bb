import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** Redis is away, and is not asked until it is back. */
@ErrorSpec({
  code: 'INFRA_REDIS_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'Redis is away, or does not answer in time.',
})
export class RedisUnavailableError extends InfraError {
  constructor(id: string, reason: string, options: { cause?: unknown } = {}) {
    super(`${id} is away: ${reason}.`, 'Look at /health/redis; commands go through again once it answers.', options);
  }
}
