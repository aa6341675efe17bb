import { DataSource, migratorOf } from '@core-infra/database';
import { messagingMigrations } from '@core-infra/messaging/outbox';
import { randomUUID } from 'node:crypto';
import { useOrdersApi } from '../../orders-api/test/support/orders-api.js';

describe('the fake payment provider', () => {
  const api = useOrdersApi({ LOG_LEVEL: 'fatal' });
  const charge = (key: string, reference: string, card = 'card_ok') =>
    api.send(
      'POST',
      '/fake-payments/charges',
      { reference, amount: 250, currency: 'EUR', card },
      { 'Idempotency-Key': key },
    );
  const refund = (key: string, reference: string) =>
    api.send('POST', '/fake-payments/refunds', { reference }, { 'Idempotency-Key': key });
  const chargesOf = async (reference: string) => (await api.get(`/fake-payments/charges?reference=${reference}`)).body;
  const change = (card: string, temper: string) => api.send('PUT', `/fake-payments/cards/${card}`, { temper });

  it('answers a key as it did before, whatever has become of the card', async () => {
    const [key, card] = [randomUUID(), randomUUID()];
    const { status, body } = await charge(key, 'good-first', card);
    expect([status, body]).toEqual([201, expect.objectContaining({ amount: 250, refunded: false })]);
    for (const temper of ['declined', 'garbled']) {
      await change(card, temper);
      expect(await charge(key, 'good-first', card)).toMatchObject({ status: 201, body });
    }
    const declined = randomUUID();
    await change(card, 'declined');
    expect((await charge(declined, 'bad-first', card)).status).toBe(402);
    await change(card, 'good');
    expect((await charge(declined, 'bad-first', card)).status).toBe(402);
    expect(await chargesOf('bad-first')).toEqual({ total: 0, items: [] });
  });

  it('charges twice whoever asks with two keys, and shows both', async () => {
    await Promise.all([randomUUID(), randomUUID()].map(key => charge(key, 'twice')));
    expect(await chargesOf('twice')).toMatchObject({ total: 2, items: [{ amount: 250 }, { amount: 250 }] });
    expect((await refund(randomUUID(), 'twice')).status).toBe(200);
    expect(await chargesOf('twice')).toMatchObject({ total: 2, items: [{ refunded: true }, { refunded: true }] });
  });

  it('charges once for a key that comes many times at once', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 8 }, () => charge(key, 'at-once')));
    expect(new Set(answers.map(({ body }) => body.payment_id)).size).toBe(1);
    expect(await chargesOf('at-once')).toMatchObject({ total: 1 });
  });

  it('charges nothing for what was refunded: a charge may still be on its way then', async () => {
    expect((await refund(randomUUID(), 'refunded')).status).toBe(200);
    expect((await charge(randomUUID(), 'refunded')).status).toBe(410);
    expect(await chargesOf('refunded')).toEqual({ total: 0, items: [] });
  });

  it('does nothing without a key', async () => {
    expect((await charge('', 'keyless')).status).toBe(400);
    expect((await refund('', 'keyless')).status).toBe(400);
    expect(await chargesOf('keyless')).toEqual({ total: 0, items: [] });
  });

  it('keeps its books when it learns to tell a charge from what it was for', async () => {
    for (const reference of ['kept', 'given-back']) await charge(`charge-${reference}`, reference);
    await refund('refund-given-back', 'given-back');
    const books = () => Promise.all(['kept', 'given-back'].map(chargesOf));
    const before = await books();
    const migrator = migratorOf(api.app.get(DataSource, { strict: false }));
    const undone = await migrator.down(messagingMigrations.length + 1);
    expect(undone.at(-1)!.name).toBe('009_fake_payment_references');
    await migrator.up();
    expect(await books()).toEqual(before);
    expect((await charge('charge-kept', 'kept')).body).toEqual(before[0].items[0]);
    expect((await charge(randomUUID(), 'given-back')).status).toBe(410);
  });
});
