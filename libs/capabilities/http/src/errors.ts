import { ErrorSpec, InfraError } from '@core-infra/kernel';

/** Something that was asked for by its id does not exist: 404 with `resource_type` and `resource_id`. */
@ErrorSpec({ code: 'NOT_FOUND', status: 404, fault: 'client', summary: 'What was asked for does not exist.' })
export class ResourceNotFoundError extends InfraError {
  readonly resourceId: string;

  constructor(
    readonly resourceType: string,
    id: string | number | bigint,
    options?: ErrorOptions,
  ) {
    super('Resource not found', '', options);
    this.resourceId = String(id);
  }
}

/** Input that does not fit its rules: one message for each field, by path (`lines[0].quantity`). */
@ErrorSpec({
  code: 'VALIDATION_ERROR',
  status: 422,
  fault: 'client',
  summary: 'Input does not fit its rules; details.field_errors names each field.',
})
export class ValidationFailedError extends InfraError {
  override readonly status: number;

  /** @param status @default 422 */
  constructor(
    readonly fieldErrors: Readonly<Record<string, string>>,
    status: number = 422,
  ) {
    super('Validation failed');
    this.status = status;
  }
}
