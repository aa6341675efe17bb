import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, uniqueName } from '@core-infra/testing';
import { Client } from 'pg';
import type { Broker } from './brokers.js';
import { check, type Checked } from './checker.js';
import { Troupe } from './troupe.js';

const schema = readFileSync(join(__dirname, '../fixtures/schema.sql'), 'utf8');
/** How long nothing has to happen until nothing more is waited for, in milliseconds. */
const GIVEN_UP_AFTER_MS = 45_000;

export async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(sql)).rows as Row[];
  } finally {
    await client.end();
  }
}

/** A database, a topic and a group that nobody else uses, and who plays there. */
export class Stage implements AsyncDisposable {
  readonly troupe: Troupe;
  /** The topic of all steps, and the group that handles them. */
  readonly name: string;

  private constructor(
    private readonly broker: Broker,
    readonly url: string,
    env: Record<string, string>,
  ) {
    this.name = uniqueName('chaos');
    this.troupe = new Troupe({ DATABASE_URL: url, BROKER: broker.name, CHAOS_NAME: this.name, ...env });
  }

  /** @param url an empty database */
  static async open(broker: Broker, url: string, env: Record<string, string> = {}): Promise<Stage> {
    await query(url, schema);
    return new Stage(broker, url, env);
  }

  check(): Promise<Checked> {
    return check(this.url);
  }

  /** Resolves when so many more effects are there. */
  async progress(effects = 50, timeoutMs = 60_000): Promise<void> {
    const before = (await this.check()).effects;
    const check = async (): Promise<void> => expect((await this.check()).effects).toBeGreaterThan(before + effects);
    await eventually(check, { timeoutMs, intervalMs: 500 }).catch((error: unknown) => {
      process.stdout.write(`${this.troupe.story}\n`);
      throw error;
    });
  }

  /** Ends the producer, waits for what is under way, counts and tells. */
  async finish(what: string, idleMs = GIVEN_UP_AFTER_MS): Promise<Checked> {
    await this.troupe.mend();
    await this.troupe.end('producer');
    await this.settled(idleMs);
    const found = await this.check();
    const { name } = this.broker;
    process.stdout.write(`${name}, ${what}: ${JSON.stringify(found)} wire duplicates: ${found.repeated}\n`);
    return found;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.troupe[Symbol.asyncDispose]();
  }

  /** Waits until as many effects are there as events were sent; gives up when nothing has happened for so long. */
  private async settled(idleMs: number): Promise<void> {
    let last = -1;
    let since = performance.now();
    for (;;) {
      const { sent, effects } = await this.check().catch(() => ({ sent: 1, effects: last }));
      if (effects >= sent) return;
      if (effects !== last) {
        last = effects;
        since = performance.now();
      } else if (performance.now() - since > idleMs) return;
      await sleep(500);
    }
  }
}

/** Nothing lost, nothing doubled, nothing in the wrong order; `story` is told when not. */
export function expectFlawless(found: Checked, { troupe }: Stage): void {
  const { sent, effects, lost, duplicated, invented, inverted } = found;
  if (lost + duplicated + invented + inverted > 0) process.stdout.write(`${troupe.story}\n`);
  expect({ lost, duplicated, invented, inverted }).toEqual({ lost: 0, duplicated: 0, invented: 0, inverted: 0 });
  expect(effects).toBe(sent);
}
