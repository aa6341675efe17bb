import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { uniqueName } from '@core-infra/testing';
import { Client } from 'pg';
import type { Broker } from './brokers.js';
import { check, type Checked } from './checker.js';
import { Troupe } from './troupe.js';

const schema = readFileSync(join(__dirname, '../fixtures/schema.sql'), 'utf8');
/** How long nothing has to happen until nothing more is waited for, in milliseconds. */
const GIVEN_UP_AFTER_MS = 60_000;
const LOOK_MS = 150;

export async function query<Row>(url: string, sql: string): Promise<Row[]> {
  const client = new Client({ connectionString: url });
  // It is told by the query that is under way, too.
  client.on('error', () => undefined);
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

  /** What a process of its own counts. */
  check(): Promise<Checked> {
    return check(this.url);
  }

  /** Resolves when so many more effects are there. */
  async progress(effects = 50, timeoutMs = 120_000): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    const before = await this.count('chaos_effects');
    let now = before;
    while (now < before + effects) {
      if (performance.now() > deadline)
        throw new Error(
          `Waited ${timeoutMs / 1_000} s for ${effects} more effects; there were ${now - before}.\n${this.troupe.story}`,
        );
      await sleep(LOOK_MS);
      now = await this.count('chaos_effects');
    }
  }

  /** Has nothing more published, waits for what is under way, counts and tells. */
  async finish(what: string, idleMs = GIVEN_UP_AFTER_MS): Promise<Checked> {
    await this.troupe.ready();
    await this.troupe.pause();
    await this.settled(idleMs);
    const found = await this.check();
    const { name } = this.broker;
    process.stdout.write(`${name}, ${what}: ${JSON.stringify(found)} wire duplicates: ${found.repeated}\n`);
    return found;
  }

  /** Waits until there is an effect of all that was sent; gives up when nothing has happened for so long. */
  async settled(idleMs = GIVEN_UP_AFTER_MS): Promise<void> {
    const owed = `chaos_sent AS sent WHERE NOT EXISTS (SELECT FROM chaos_effects AS effect WHERE effect.key = sent.key AND effect.n = sent.n)`;
    let last = -1;
    let since = performance.now();
    for (;;) {
      const open = await this.count(owed);
      if (open === 0) return;
      if (open !== last) {
        last = open;
        since = performance.now();
      } else if (performance.now() - since > idleMs) return;
      await sleep(LOOK_MS);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.troupe[Symbol.asyncDispose]();
  }

  private async count(what: string): Promise<number> {
    return Number((await query<{ count: string }>(this.url, `SELECT count(*) FROM ${what}`))[0]!.count);
  }
}

/** Nothing lost, nothing doubled, nothing in the wrong order; `story` is told when not. */
export function expectFlawless(found: Checked, { troupe }: Stage): void {
  const { sent, effects, lost, duplicated, invented, inverted } = found;
  if (lost + duplicated + invented + inverted > 0) process.stdout.write(`${troupe.story}\n`);
  expect({ lost, duplicated, invented, inverted }).toEqual({ lost: 0, duplicated: 0, invented: 0, inverted: 0 });
  expect(effects).toBe(sent);
}
