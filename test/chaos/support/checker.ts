import { join } from 'node:path';
import { runChild } from '@core-infra/testing';
import { toSay, within } from './within.js';

export interface Checked {
  readonly sent: number;
  readonly effects: number;
  readonly lost: number;
  readonly duplicated: number;
  readonly invented: number;
  readonly inverted: number;
  /** Attempts, whatever became of them. */
  readonly calls: number;
  /** Deliveries of what was handled already. */
  readonly repeated: number;
}

/** What the checker counts, in a process of its own. */
export async function check(databaseUrl: string): Promise<Checked> {
  const child = runChild(join(__dirname, '../fixtures/checker.main.cjs'), { env: { DATABASE_URL: databaseUrl } });
  const [, json] = await toSay(child, /^checked (.+)$/);
  await within(() => 'the checker to end', child.exit);
  return JSON.parse(json!) as Checked;
}
