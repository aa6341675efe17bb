import { join } from 'node:path';
import { type Child, runChild } from '@core-infra/testing';

/** A process that holds a server, and what it said about it. */
export interface Holder {
  child: Child;
  /** Of the server. */
  pid: number;
  /** The server's data folder. */
  data: string;
  url: string;
}

/** Starts a process that takes a server and holds it. */
export async function hold(...args: string[]): Promise<Holder> {
  const child = runChild(join(__dirname, '../fixtures/holder.main.ts'), {
    args,
    env: { POSTGRES_DSN: undefined, DATABASE_URL: undefined },
  });
  const [line] = await child.waitForLine(/^\{.*\}$/);
  return { child, ...(JSON.parse(line) as { pid: number; data: string; url: string }) };
}
