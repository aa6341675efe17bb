import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_CACHE_RESPONSE_OPTION',
  summary: '@CacheResponse is given options that contradict each other or are out of their range.',
})
export class InvalidResponseCacheError extends InfraError {}
