import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_OUTBOX_TABLES_MISSING',
  summary: 'The tables of the outbox are not in the database.',
})
export class OutboxTablesMissingError extends InfraError {
  constructor(options?: ErrorOptions) {
    super(
      'The tables of the outbox are not in the database.',
      'Add messagingMigrations of @core-infra/messaging/outbox to database.migrations.classes, and migrate.',
      options,
    );
  }
}
