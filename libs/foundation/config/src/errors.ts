import { ErrorSpec, InfraError } from '@core-infra/kernel';

@ErrorSpec({
  code: 'INFRA_DUPLICATE_CONFIG',
  summary: 'The configuration is registered twice in one app, so that two sets of sources would compete.',
})
export class DuplicateConfigError extends InfraError {
  constructor(readonly registrations: number) {
    super(
      `ConfigModule is registered ${registrations} times in this app, and each module would read whichever it meets first.`,
      'Keep one ConfigModule.forRoot; CoreInfraModule brings one by itself and takes its options as { config }. For sections of your own import ConfigModule.forFeature.',
    );
  }
}
