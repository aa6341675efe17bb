import type { DriverSite } from '@core-infra/kernel';
import type { DatabaseConfig } from '../config/database.config.js';

/** What pool and clients of one connection know. */
export type QuerySite = Pick<DriverSite, 'id' | 'logger' | 'context' | 'clock' | 'operations'> & {
  readonly config: DatabaseConfig;
  /** Section of the configuration, for messages. */
  readonly section: string;
};
