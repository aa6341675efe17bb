import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'ORDER_ALREADY_CANCELLED', status: 409, fault: 'client', summary: 'An order is cancelled twice.' })
export class OrderAlreadyCancelledError extends InfraError {
  constructor(
    readonly orderId: string,
    readonly cancelledAt: Date,
  ) {
    super('The order is cancelled already');
  }
}

@ErrorSpec({
  code: 'ORDER_REJECTED',
  status: 409,
  fault: 'client',
  summary: 'An order is cancelled that was rejected.',
})
export class OrderRejectedError extends InfraError {
  constructor(
    readonly orderId: string,
    readonly reason: string | null,
  ) {
    super('The order was rejected');
  }
}

@ErrorSpec({
  code: 'MIXED_CURRENCIES',
  status: 422,
  fault: 'client',
  summary: 'The lines of an order have several currencies.',
})
export class MixedCurrenciesError extends InfraError {
  constructor(readonly currencies: readonly string[]) {
    super('An order has one currency');
  }
}

@ErrorSpec({ code: 'UNKNOWN_USER', status: 422, fault: 'client', summary: 'An order names a user who does not exist.' })
export class UnknownUserError extends InfraError {
  constructor(
    readonly userId: string,
    options?: ErrorOptions,
  ) {
    super('Unknown user', '', options);
  }
}
