import type { Environment } from '@core-infra/kernel';

/** How {@link ConfigModule} finds the configuration. Everything has a default. */
export interface ConfigModuleOptions {
  /** Folder of `default.{yaml,yml,json}` and `<environment>.{…}`, from `root`. `--config-dir` and `CONFIG_DIR` win over it. @default 'config' */
  directory?: string;
  /** Folder that relative paths count from, and that the `.env` files are in. @default process.cwd() */
  root?: string;
  /** Name of the app: the default of `app.name`, and the folder `<directory>/<app>` that is read on top of what is shared. */
  app?: string;
  /** More folders inside the directory that are read, e.g. one per module. @default [] */
  folders?: readonly string[];
  /** Wins over `NODE_ENV`, `ENVIRONMENT` and `--app.environment`. */
  environment?: Environment;
  /** Variables, instead of the process's own. @default process.env */
  env?: NodeJS.ProcessEnv;
  /** Flags, instead of the process's own. @default process.argv.slice(2) */
  argv?: readonly string[];
  /** Whether `.env` and `.env.<environment>` are read. @default true */
  dotenv?: boolean;
  /** Whether variables of `.env` files that the environment does not have are written to `process.env`. @default false */
  exportEnv?: boolean;
  /** Whether an unknown key or section of a file is an error; else it is one warning. @default true */
  strict?: boolean;
  /** Whether files are watched and live fields follow them. @default true */
  watch?: boolean;
}
