import { resolve } from 'node:path';
import { DataSource } from '@core-infra/database';
import { runCli } from '@core-infra/cli';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { type DeadLetter, MessageContext, MessagingHub, Subscribe } from '../../src/index.js';
import { bootWithDatabase } from './support/boot-with-database.js';
import { letterOf } from './support/letters.js';

const app = resolve(__dirname, 'fixtures/dlq.app.ts');
const postgres = usePostgres();
const signal = new AbortController().signal;

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

const dlq = async (...args: string[]): Promise<Ran> => {
  let [out, err] = ['', ''];
  const streams = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const argv = ['--app', app, 'dlq', ...args];
  const code = await runCli({ argv, cwd: __dirname, env: process.env, streams, signal });
  return { code, out, err };
};

describe('core-infra dlq', () => {
  let hub: MessagingHub;
  let close: () => Promise<void>;
  let group: string;
  let letters: readonly DeadLetter[];
  const left = async (): Promise<string[]> =>
    (await hub.deadLetters.list({ group }, { limit: 100 }, signal)).map(({ id }) => id);

  beforeAll(async () => {
    process.env['SPEC_DATABASE'] = postgres.url;
    const running = await bootWithDatabase({ url: postgres.url });
    hub = running.get<MessagingHub>(MessagingHub as never);
    close = () => running.close();
    expect(running.get(DataSource).isInitialized).toBe(true);
  });
  afterAll(async () => {
    delete process.env['SPEC_DATABASE'];
    await close();
  });
  beforeEach(async () => {
    group = uniqueName('group');
    const { message } = letterOf(group);
    letters = [
      letterOf(group, { message: { ...message, key: 'a', body: Buffer.from([0xff, 0x00]) }, reason: 'undecodable' }),
      letterOf(group, { lastAttemptAt: Date.now() - 3 * 86_400_000 }),
      letterOf(group, { error: { name: 'TypeError', message: 'x' } }),
    ];
    await hub.deadLetters.add(letters, signal);
  });

  it('lists what filters find, for people and for scripts', async () => {
    const table = await dlq('list', '--group', group);
    expect(table).toMatchObject({ code: 0, err: '' });
    for (const { id } of letters) expect(table.out).toContain(id);
    const found = async (...args: string[]): Promise<string[]> =>
      (JSON.parse((await dlq('list', '--group', group, '--json', ...args)).out) as { id: string }[]).map(
        ({ id }) => id,
      );
    expect(await found('--since', '2d')).toEqual([letters[0]!.id, letters[2]!.id]);
    expect(await found('--until', '2d')).toEqual([letters[1]!.id]);
    expect(await found('--until', new Date().toISOString(), '--key', 'a')).toEqual([letters[0]!.id]);
    expect(await found('--error', 'TypeError')).toEqual([letters[2]!.id]);
    expect(await found('--error', 'NO_STOCK', '--reason', 'attempts', '--topic', 'orders.placed')).toEqual([
      letters[1]!.id,
    ]);
    expect(await found('--limit', '1', '--after', letters[0]!.id)).toEqual([letters[1]!.id]);
    expect((await dlq('list', '--group', 'none')).out).toContain('There are no such dead letters');
  });

  it('shows and exports everything that came', async () => {
    const { code, out } = await dlq('show', letters[0]!.id);
    expect([code, JSON.parse(out)]).toEqual([
      0,
      expect.objectContaining({
        id: letters[0]!.id,
        body: '/wA=',
        bodyEncoding: 'base64',
        headers: letters[0]!.message.headers,
        error: letters[0]!.error,
        attempts: 10,
      }),
    ]);
    const lines = (await dlq('export', '--group', group, '--json')).out.trim().split('\n');
    expect(lines.map(line => (JSON.parse(line) as { id: string }).id)).toEqual(letters.map(({ id }) => id));
    expect(JSON.parse(lines[1]!)).toMatchObject({ body: '{"at":1}', bodyEncoding: 'utf8' });
  });

  it('discards what is asked for, and says before what it would be', async () => {
    const dry = await dlq('discard', '--group', group, '--reason', 'undecodable', '--dry-run');
    expect(dry).toMatchObject({
      code: 0,
      out: expect.stringContaining(letters[0]!.id),
      err: expect.stringContaining('dry run'),
    });
    expect(await left()).toHaveLength(3);
    expect(await dlq('discard', '--group', group, '--reason', 'undecodable')).toMatchObject({ code: 0 });
    expect(await left()).toEqual([letters[1]!.id, letters[2]!.id]);
    const { out } = await dlq('discard', letters[1]!.id, letters[2]!.id, '--json');
    expect([JSON.parse(out), await left()]).toEqual([[{ discarded: 2 }], []]);
  });

  it('replays nothing from where nobody would receive it', async () => {
    const refused = await dlq('replay', '--group', group);
    expect(refused).toMatchObject({ code: 5, err: expect.stringContaining('INFRA_DEAD_LETTER_OUT_OF_REACH') });
    expect(await dlq('replay', '--group', group, '--dry-run')).toMatchObject({ code: 0 });
    expect(await left()).toHaveLength(3);
  });

  it('replays to the processes of the group that gave up, over a broker that they reach', async () => {
    const seen: string[] = [];
    @Controller()
    class Handlers {
      @Subscribe('orders.placed')
      handle(@Ctx() { event }: MessageContext): void {
        seen.push(event.id);
      }

      @Subscribe('orders.placed', { group: `${group}-other` })
      other(): void {
        seen.push('other');
      }
    }
    process.env['SPEC_DRIVER'] = 'postgres';
    const messaging = { group, driver: 'postgres' } as const;
    await using worker = await bootWithDatabase({ url: postgres.url, controllers: [Handlers], messaging });
    expect(worker.get(DataSource).isInitialized).toBe(true);
    try {
      const ran = await dlq('replay', '--group', group, '--rate', '100/s', '--json');
      expect([ran.code, JSON.parse(ran.out)]).toEqual([0, [{ replayed: 3, refused: 0 }]]);
    } finally {
      delete process.env['SPEC_DRIVER'];
    }
    const ids = letters.map(({ message }) => message.id);
    // The first cannot be read as JSON: it is a dead letter again.
    await eventually(() => expect(seen.toSorted()).toEqual(ids.slice(1).toSorted()), { timeoutMs: 20_000 });
    await eventually(async () => {
      const again = await hub.deadLetters.list({ group }, { limit: 10 }, signal);
      expect(again.map(({ message, reason }) => [message.id, reason])).toEqual([[ids[0], 'undecodable']]);
    });
  });

  it.each([
    [2, ['replay']],
    [2, ['discard']],
    [2, ['discard', 'some-id', '--group', 'x']],
    [2, ['list', '--since', 'yesterday']],
    [2, ['list', '--reason', 'bad luck']],
    [2, ['list', '--limit', '0']],
    [2, ['replay', '--all', '--rate', 'fast']],
    [2, ['list', '--connection', 'other']],
    [3, ['show', 'no-id']],
    [3, ['discard', '01890000-0000-7000-8000-ffffffffffff']],
  ])('ends with %i for %j', async (code, args) => {
    const ran = await dlq(...args);
    expect(ran).toMatchObject({ code, err: expect.stringContaining('error: ') });
    expect(await left()).toHaveLength(3);
  });
});
