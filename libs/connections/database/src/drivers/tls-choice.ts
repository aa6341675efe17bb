import type { ConnectionOptions } from 'node:tls';
import type { DatabaseConfig } from '../config/database.config.js';
import { tlsOptions } from '../config/tls.js';

/** pg's words for a server without TLS. */
const withoutTls = 'The server does not support SSL connections';

/** Whether a connection uses TLS: decided by the configuration, and with `sslMode: 'prefer'` by the server's first answer. */
export class TlsChoice {
  private chosen: false | ConnectionOptions;
  private undecided: boolean;

  constructor(config: DatabaseConfig) {
    this.chosen = tlsOptions(config);
    this.undecided = config.sslMode === 'prefer';
  }

  get options(): false | ConnectionOptions {
    return this.chosen;
  }

  /** Runs `connect`, and once more without TLS where the server has none and that is allowed. */
  async attempt<T>(connect: () => Promise<T>): Promise<T> {
    try {
      return await connect();
    } catch (error) {
      if (!this.undecided || !(error instanceof Error) || error.message !== withoutTls) throw error;
      this.chosen = false;
      this.undecided = false;
      return connect();
    }
  }
}
