import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_INVALID_METRICS_CONTRIBUTOR',
  summary: 'A metrics contributor has a shape that cannot be asked.',
})
export class InvalidMetricsContributorError extends InfraError {
  constructor(
    readonly contributor: string,
    problem: string,
    fix: string,
  ) {
    super(`The metrics contributor ${contributor} ${problem}.`, fix);
  }
}

@ErrorSpec({
  code: 'INFRA_OBSERVABILITY_REGISTERED_TWICE',
  summary: 'ObservabilityModule is registered more than once.',
})
export class ObservabilityRegisteredTwiceError extends InfraError {
  constructor(readonly importers: readonly string[]) {
    super(
      `ObservabilityModule is registered more than once, in ${importers.join(' and in ')}.`,
      'Register it once; it is global.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_METRICS_REFUSED',
  status: 401,
  fault: 'client',
  summary: 'Metrics are guarded by a token, and the caller did not send it.',
})
export class MetricsRefusedError extends InfraError {
  constructor() {
    super(
      'Metrics are for who has the token.',
      'Send the header "Authorization: Bearer <observability.metrics.token>".',
    );
  }
}
