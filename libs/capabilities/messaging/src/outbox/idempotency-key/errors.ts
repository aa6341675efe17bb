import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_IDEMPOTENCY_KEY_REQUIRED',
  status: 400,
  fault: 'client',
  summary: 'A request needs the header Idempotency-Key, and has none, or none that can be read.',
})
export class IdempotencyKeyRequiredError extends InfraError {
  constructor(problem: string) {
    super(
      problem,
      'Send a key that is new for each operation, and the same when it is repeated: Idempotency-Key: "8e03978e-40d5-43dd-bc93-6894a57f9324".',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_IDEMPOTENCY_KEY_REUSED',
  status: 422,
  fault: 'client',
  summary: 'An idempotency key was sent before with another request.',
})
export class IdempotencyKeyReusedError extends InfraError {
  constructor() {
    super('This Idempotency-Key was sent before, with another request.', 'Send a new key with each new operation.');
  }
}

@ErrorSpec({
  code: 'INFRA_IDEMPOTENCY_KEY_BUSY',
  status: 409,
  fault: 'client',
  retryable: true,
  summary: 'A request with the same idempotency key is under way.',
})
export class IdempotencyKeyBusyError extends InfraError {
  constructor() {
    super('A request with this Idempotency-Key is under way.', 'Repeat it later, with the same key.');
  }
}

@ErrorSpec({
  code: 'INFRA_IDEMPOTENCY_ANSWER_NOT_KEPT',
  status: 409,
  fault: 'client',
  summary:
    'A request with the same idempotency key was done, and its answer was not kept: it was too large, or its process died before.',
})
export class AnswerNotKeptError extends InfraError {
  constructor() {
    super(
      'The request with this Idempotency-Key was done, and its answer was not kept: it was too large, or its process died before.',
      'Look at what it has made. Larger answers are kept with outbox.idempotency.maxAnswerBytes.',
    );
  }
}
