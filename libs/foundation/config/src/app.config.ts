import { IsIn, IsString, Matches, MinLength } from 'class-validator';
import { ConfigSection, Env, type Environment, Synonyms } from '@core-infra/kernel';
import { environments, environmentSynonyms } from './sources/environment.js';

/** Who this process is: in logs, metrics, traces and answers. */
@ConfigSection('app')
export class AppConfig {
  /** Name of the service. @default the name in the app's package.json, without its scope */
  @IsString() @Matches(/^[\w.-]{1,64}$/) @Env('OTEL_SERVICE_NAME') name: string = 'app';

  /** Version of the service. @default the version in the app's package.json */
  @IsString() @MinLength(1) @Env('OTEL_SERVICE_VERSION') version: string = '0.0.0';

  /** Tells this process from its siblings. @default the host's name, which in Kubernetes is the pod's */
  @IsString() @MinLength(1) instance: string = 'local';

  /**
   * Which files are read, and how careful defaults are: `development`, `staging`, `production` or `test`; `dev` and `prod` are accepted.
   * It decides what is read, so it comes from the environment, a flag or code, and not from a configuration file.
   * @default 'development'
   */
  @IsIn([...environments])
  @Synonyms(environmentSynonyms)
  @Env('NODE_ENV', 'ENVIRONMENT')
  environment: Environment = 'development';
}
