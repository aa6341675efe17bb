import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { runCli } from '@core-infra/cli';
import { Parser } from '@asyncapi/parser';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';

const app = resolve(__dirname, 'fixtures/events.app.ts');
const signal = new AbortController().signal;

async function events(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  const streams = { out: (text: string) => void (out += text), err: (text: string) => void (err += text) };
  const code = await runCli({
    argv: ['--app', app, 'events', ...args],
    cwd: __dirname,
    env: process.env,
    streams,
    signal,
  });
  return { code, out, err };
}

describe('core-infra events', () => {
  let folder: string;
  beforeAll(async () => (folder = await mkdtemp(join(tmpdir(), 'core-infra-events-'))));
  afterAll(() => rm(folder, { recursive: true }));

  it('writes a JSON Schema of the data of each event, which takes what the class takes', async () => {
    const { code, err } = await events('schemas', '--out', folder);
    expect([code, err]).toEqual([0, expect.stringContaining('StockHandlers.legacy handles "legacy.changed"')]);
    expect((await readdir(folder)).toSorted((a, b) => (a < b ? -1 : 1))).toEqual([
      'orders.paid.v1.json',
      'orders.placed.v2.json',
      'pictures.resize.v1.json',
    ]);
    const schema = JSON.parse(await readFile(join(folder, 'orders.placed.v2.json'), 'utf8')) as object;
    const ajv = new Ajv({ strict: false });
    addFormats(ajv);
    const fits = ajv.compile(schema);
    const order = { id: 'a', lines: [{ sku: 's', count: 1 }], at: '2026-11-21T10:00:00.000Z' };
    expect(fits(order)).toBe(true);
    expect(fits({ ...order, from: 'web' })).toBe(true);
    for (const wrong of [
      { id: 1 },
      { lines: [{ sku: 's', count: 0 }] },
      { lines: [{}] },
      { from: 'moon' },
      { at: 'x' },
    ])
      expect([wrong, fits({ ...order, ...wrong })]).toEqual([wrong, false]);
  });

  it('writes an AsyncAPI document that its own parser takes', async () => {
    const { code, out } = await events('asyncapi', '--title', 'orders', '--api-version', '1.2.3');
    expect(code).toBe(0);
    const { document, diagnostics } = await new Parser().parse(out);
    expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
    const channels = document!.channels().all();
    expect(new Set(channels.map(channel => channel.address()))).toEqual(new Set(['legacy', 'shop']));
    const operations = document!.operations().all();
    expect(new Map(operations.map(operation => [operation.id(), operation.action()]))).toEqual(
      new Map([
        ['StockHandlers.legacy.legacy.changed', 'receive'],
        ['StockHandlers.reserve.orders.placed', 'receive'],
        ['StockHandlers.resize.pictures.resize', 'receive'],
        ['publish.orders.paid', 'send'],
        ['publish.pictures.made', 'send'],
      ]),
    );
    const placed = document!.components().messages().get('orders.placed')!;
    const payload = placed.payload()!.json() as { properties: Record<string, unknown> };
    expect(Object.keys(payload.properties)).toEqual(['id', 'lines', 'at', 'from']);
    expect(placed.headers()!.json()).toMatchObject({ properties: { ce_dataversion: { const: '2' } } });
    expect(document!.info().title()).toBe('orders');
  });
});
