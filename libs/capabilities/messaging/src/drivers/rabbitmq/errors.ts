import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** A queue that one process reads whole is read by another one. */
@ErrorSpec({
  code: 'INFRA_MESSAGING_QUEUE_TAKEN',
  status: 503,
  fault: 'dependency',
  retryable: true,
  summary: 'A queue that is read whole is in the hands of another process; nothing of it is shown rather than a part.',
})
export class QueueTakenError extends InfraError {
  constructor(queue: string, problem: string, options?: ErrorOptions) {
    super(
      `The queue ${queue} cannot be read whole: ${problem}.`,
      'Wait until whoever looks at it is done, or take other consumers off it (rabbitmqctl list_consumers).',
      options,
    );
  }
}
