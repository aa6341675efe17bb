import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_TRANSACTION_ENDED',
  summary: 'Code that was not awaited uses a transaction that has ended.',
})
export class TransactionEndedError extends InfraError {
  constructor(readonly connection: string) {
    super(
      `${connection}: a transaction is used after its end, by something that it did not await.`,
      `Await it inside of the transaction; or start it in onCommit(…), or with transactions.run({ propagation: 'not-supported' }, …) if it does not belong to it.`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_TRANSACTION_ABORTED',
  summary: 'A transaction was to commit after one of its statements had failed: the server rolls it back.',
})
export class TransactionAbortedError extends InfraError {
  constructor(readonly connection: string) {
    super(
      `${connection}: the transaction cannot commit, since one of its statements failed and the error was caught.`,
      `Let the error through; or put what may fail into a savepoint: transactions.run({ propagation: 'nested' }, …).`,
    );
  }
}

@ErrorSpec({
  code: 'INFRA_TRANSACTION_PROPAGATION',
  summary: 'A transaction is running where none may be (never), or none where one must be (mandatory, onCommit).',
})
export class TransactionPropagationError extends InfraError {
  constructor(
    readonly connection: string,
    problem: string,
    fix: string,
    options?: ErrorOptions,
  ) {
    super(`${connection}: ${problem}`, fix, options);
  }
}

@ErrorSpec({
  code: 'INFRA_TRANSACTIONAL_NOT_WIRED',
  summary: '@Transactional() is on a class that Nest did not instantiate.',
})
export class TransactionalNotWiredError extends InfraError {
  constructor(readonly method: string) {
    super(
      `${method} is @Transactional(), and its object was not made by Nest.`,
      'Let Nest inject it, or call transactions.run(…) in place of the decorator.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_NOT_OUR_DATA_SOURCE',
  summary: 'A function of @core-infra/database is given a DataSource that DatabaseModule did not open.',
})
export class NotOurDataSourceError extends InfraError {
  constructor(readonly what: string) {
    super(`${what} needs a DataSource that DatabaseModule opened.`, 'Inject it, rather than constructing one.');
  }
}
