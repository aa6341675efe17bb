import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_CACHE_WARMER_TWICE', summary: 'Two @CacheWarmer providers have one name.' })
export class DuplicateWarmerError extends InfraError {
  constructor(readonly warmer: string) {
    super(`Two providers are @CacheWarmer('${warmer}').`, 'Give each of them a name of its own.');
  }
}
