import { Parser } from '@asyncapi/parser';
import { Ajv, type ValidateFunction } from 'ajv';
import addFormats from 'ajv-formats';
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(__dirname, '../../..');
const folder = path.join(root, 'docs/events');
const apps = ['orders-api', 'orders-worker'];
const read = (file: string): string => readFileSync(path.join(folder, file), 'utf8');

/** What an app sends and receives, by its document; fails with what the specification of AsyncAPI has against it. */
async function operationsOf(app: string): Promise<{ sends: string[]; receives: string[] }> {
  const { document, diagnostics } = await new Parser().parse(read(`${app}.asyncapi.json`));
  expect(diagnostics.filter(({ severity }) => severity === 0)).toEqual([]);
  expect([document!.version(), document!.info().title()]).toEqual(['3.0.0', app]);
  const types = (action: string): string[] =>
    document!
      .operations()
      .all()
      .filter(operation => operation.action() === action)
      .flatMap(operation => operation.messages().all())
      .map(message => message.name()!)
      .toSorted();
  return { sends: types('send'), receives: types('receive') };
}

describe('docs/events', () => {
  it('is what the commands say of the apps as they are', async () => {
    const { run } = require(path.join(root, 'tools/generate/events.js')) as {
      run(): Promise<Record<string, string>>;
    };
    const generated = Object.entries(await run());
    expect(generated.map(([file]) => path.basename(file)).toSorted()).toEqual(readdirSync(folder).toSorted());
    for (const [file, text] of generated) expect(JSON.parse(read(path.basename(file)))).toEqual(JSON.parse(text));
  }, 120_000);

  it('has an AsyncAPI 3 document of each app: what one sends, the other receives', async () => {
    const [api, worker] = [await operationsOf(apps[0]!), await operationsOf(apps[1]!)];
    expect(api).toEqual({
      sends: ['orders.cancelled', 'orders.placed'],
      receives: ['orders.paid', 'orders.rejected', 'stock.changed'],
    });
    expect(worker).toEqual({ sends: api.receives, receives: api.sends });
  });

  it('has a JSON Schema of each event, which takes what the apps tell each other and nothing else', () => {
    const ajv = new Ajv({ strict: false });
    addFormats(ajv);
    const schemas = readdirSync(folder).filter(file => !file.endsWith('.asyncapi.json'));
    const fits = new Map(
      schemas.map((file): [string, ValidateFunction] => [file, ajv.compile(JSON.parse(read(file)) as object)]),
    );
    const order_id = randomUUID();
    const placed = {
      order_id,
      user_id: randomUUID(),
      total: { amount: 250, currency: 'EUR' },
      card: 'card_ok',
      lines: [{ product_id: randomUUID(), quantity: 1 }],
    };
    const events: Record<string, { good: object; bad: object }> = {
      'orders.cancelled.v1.json': { good: { order_id }, bad: { order_id: 'x' } },
      'orders.paid.v1.json': { good: { order_id, payment_id: 'p' }, bad: { order_id, payment_id: '' } },
      'orders.placed.v1.json': { good: placed, bad: { ...placed, lines: [{ ...placed.lines[0], quantity: 0 }] } },
      'orders.rejected.v1.json': { good: { order_id, reason: 'card_declined' }, bad: { order_id, reason: 'mood' } },
      'stock.changed.v1.json': { good: { product_ids: [order_id] }, bad: { product_ids: [1] } },
    };
    expect(Object.keys(events)).toEqual([...fits.keys()].toSorted());
    for (const [file, { good, bad }] of Object.entries(events))
      expect([file, fits.get(file)!(good), fits.get(file)!(bad)]).toEqual([file, true, false]);
  });
});
