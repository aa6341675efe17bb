import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_DEAD_LETTER_UNKNOWN',
  status: 404,
  fault: 'client',
  summary: 'A dead letter was to be shown, replayed or discarded that is not there.',
})
export class UnknownDeadLetterError extends InfraError {
  constructor(id: string) {
    super(
      `There is no dead letter ${JSON.stringify(id)}.`,
      'It may have been replayed or discarded; core-infra dlq list shows those that there are.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_DEAD_LETTER_REQUEST',
  status: 422,
  fault: 'client',
  summary: 'Dead letters were asked for in a way that makes no sense.',
})
export class DeadLetterRequestError extends InfraError {}

@ErrorSpec({
  code: 'INFRA_DEAD_LETTER_OUT_OF_REACH',
  summary: 'Dead letters of another process were asked for, with a driver that keeps everything within one.',
})
export class DeadLettersOutOfReachError extends InfraError {
  constructor(what: string) {
    super(
      `${what}: messages are carried in memory, each process by itself.`,
      'Mount MessagingAdminModule in the app itself, or carry messages with a driver that others reach.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_MESSAGING_ADMIN_UNGUARDED',
  summary: 'MessagingAdminModule was mounted without a guard.',
})
export class UnguardedMessagingAdminError extends InfraError {
  constructor(problem: string) {
    super(
      `MessagingAdminModule ${problem}, so that every caller could read, replay and discard messages.`,
      "Give it guards that are passed by administrators alone: MessagingAdminModule.forRoot({ guards: [AdminGuard] }); or guards: 'global' where an APP_GUARD of the app does that.",
    );
  }
}
