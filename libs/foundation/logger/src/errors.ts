import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({ code: 'INFRA_LOGGER_NAME', summary: 'One class asks for loggers of two names with @InjectLogger.' })
export class LoggerNameConflictError extends InfraError {
  constructor(
    readonly owner: string,
    readonly first: string,
    readonly second: string,
  ) {
    super(
      `${owner} asks for two loggers, "${first}" and "${second}", and Nest makes one per class.`,
      `Inject one, and make the other from it: logger.named('${second}') or logger.channel('${second}').`,
    );
  }
}
