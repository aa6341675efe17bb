import { AppInfo, type Environment } from '@core-infra/kernel';
import type { AppConfig } from './app.config.js';
import type { DevelopmentConfig } from './development.config.js';

/** {@link AppInfo} from the sections `app` and `development`. */
export class ConfiguredAppInfo extends AppInfo {
  readonly name: string;
  readonly version: string;
  readonly instance: string;
  readonly environment: Environment;
  readonly debug: boolean;

  constructor(app: AppConfig, development: DevelopmentConfig) {
    super();
    this.name = app.name;
    this.version = app.version;
    this.instance = app.instance;
    this.environment = app.environment;
    this.debug = development.debug;
  }
}
