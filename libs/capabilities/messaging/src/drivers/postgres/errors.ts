import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_MESSAGING_SCHEMA_MISSING',
  summary: 'The schema in which messages are kept is not in the database, and this process is not to make it.',
})
export class MessagingSchemaMissingError extends InfraError {
  constructor(schema: string) {
    super(
      `The schema "${schema}" of pg-boss, with the tables of messaging, is not in the database.`,
      'Start one process with messaging.postgres.migrate and an account that may create schemas; or set messaging.postgres.schema to the one that is there.',
    );
  }
}

@ErrorSpec({
  code: 'INFRA_MESSAGING_SCHEMA_RIGHTS',
  summary: 'The account of the database may not make or use the schema in which messages are kept.',
})
export class MessagingSchemaRightsError extends InfraError {
  constructor(schema: string, cause: unknown) {
    super(
      `The account may not make or use the schema "${schema}": ${(cause as Error).message}.`,
      'GRANT CREATE ON DATABASE to it; or make the schema with another account, grant this one its use, and set messaging.postgres.migrate to false.',
      { cause },
    );
  }
}
