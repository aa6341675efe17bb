import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_REQUEST_ABORTED',
  status: 499,
  fault: 'client',
  summary: 'The caller hung up before its request was answered.',
})
export class RequestAbortedError extends InfraError {
  constructor(readonly requestId: string) {
    super(
      `The caller of request ${requestId} hung up before it was answered.`,
      'Nothing waits for the result; stop working on it.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DEADLINE_EXCEEDED',
  status: 504,
  fault: 'server',
  retryable: true,
  summary: 'The deadline of the request or message passed.',
})
export class DeadlineExceededError extends InfraError {
  constructor(
    readonly requestId: string,
    readonly deadline: number,
  ) {
    super(
      `The deadline of request ${requestId} passed at ${new Date(deadline).toISOString()}.`,
      'Find out what was slow, or let the caller wait longer (context.maxTimeoutMs bounds what it may ask for).',
    );
  }
}
