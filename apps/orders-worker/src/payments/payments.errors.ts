import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'PAYMENT_PROVIDER_UNAVAILABLE',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'The payment provider did not answer, or said that it cannot at present.',
})
export class PaymentProviderUnavailableError extends InfraError {
  constructor(
    readonly operation: string,
    readonly reason: string,
    options?: ErrorOptions,
  ) {
    super(`The payment provider is not available (${operation}: ${reason}).`, '', options);
  }
}

@ErrorSpec({
  code: 'PAYMENT_ANSWER_NOT_UNDERSTOOD',
  status: 502,
  fault: 'dependency',
  summary: 'The payment provider answered something that is neither a payment nor a refusal.',
})
export class PaymentAnswerNotUnderstoodError extends InfraError {
  constructor(
    readonly operation: string,
    readonly answered: number,
  ) {
    super(
      `The payment provider answered ${operation} with ${answered} and nothing that can be understood.`,
      'Ask the provider what became of it, then replay the dead letter: the same charge is never made twice.',
    );
  }
}
