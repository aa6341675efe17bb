export type Environment = 'development' | 'staging' | 'production' | 'test';

/** Who this process is. The config module provides it, from the section `app`; {@link AppInfo.unknown} stands in without that. */
export abstract class AppInfo {
  abstract readonly name: string;
  abstract readonly version: string;
  /** Tells this process from its siblings, e.g. the pod's name. */
  abstract readonly instance: string;
  abstract readonly environment: Environment;
  /** `development.debug`: debug level, pretty logs, stacks in answers; never true in production. */
  abstract readonly debug: boolean;

  static readonly unknown: AppInfo = {
    name: 'app',
    version: '0.0.0',
    instance: String(process.pid),
    environment: 'development',
    debug: false,
  };
}
