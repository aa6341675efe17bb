import type { Check } from '../ports/health-contributor.js';
import type { ReadMetrics } from '../ports/metrics-contributor.js';

/** A step in a connection's life. It gets what is left of its budget as a signal and must give up when that aborts. */
export type Step = (signal: AbortSignal) => unknown;

/** What a driver returns. Only `client` is needed; a step that is left out counts as done. */
export interface Opened<Client> {
  readonly client: Client;
  /** Where the client connects to, without credentials, for messages and tables. */
  readonly address?: string;
  /**
   * Reaches the server and proves it. Awaited at boot with `startup: 'require'`, repeated in the background otherwise;
   * so a driver constructs its client first and connects here.
   */
  readonly connect?: Step;
  /** One check, or several by name where one client has several things that can fail (`producer`, `consumer`); `''` is the connection's own. */
  readonly check?: Check | Readonly<Record<string, Check>>;
  /** Numbers for `/metrics`, read when somebody asks; each gets the label `connection`. */
  readonly metrics?: ReadMetrics;
  /** Stops taking in work and lets what was begun end; the client stays usable. */
  readonly drain?: Step;
  /** Releases everything. */
  readonly close?: Step;
}
