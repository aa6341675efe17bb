import { DatabaseModule } from '@core-infra/database';
import { uniqueName, usePostgres } from '@core-infra/testing';
import { type DeadLetter, MessagingHub } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';

const database = usePostgres();

const letter: DeadLetter = {
  id: '019ac8f2-7a10-7c31-9b1e-3a3f0c1d2e4f',
  group: 'stock',
  message: { id: '1', topic: 'orders', headers: {}, body: Buffer.from('{}') },
  reason: 'attempts',
  error: { name: 'Error', message: 'never' },
  partition: 0,
  position: 0,
  attempts: 3,
  firstAttemptAt: 1,
  lastAttemptAt: 2,
};

describe('dead letters of the PostgreSQL driver', () => {
  it('are not found by what is no id, and that is no failure', async () => {
    const schema = uniqueName('boss').toLowerCase().replaceAll('-', '_').slice(0, 50);
    await using app = await bootMessaging({
      imports: [DatabaseModule.forRoot({ dsn: database.url })],
      options: { driver: 'postgres', startup: 'require', postgres: { schema } },
    });
    const { deadLetters } = app.get(MessagingHub);
    const signal = AbortSignal.timeout(10_000);
    await deadLetters.add([letter], signal);
    expect(await deadLetters.get(letter.id.toUpperCase(), signal)).toEqual(letter);
    for (const id of ['', 'x', '-'.repeat(36), `${letter.id}0`]) {
      expect(await deadLetters.get(id, signal)).toBeUndefined();
      expect(await deadLetters.list({}, { limit: 5, after: id }, signal)).toEqual([]);
      expect(await deadLetters.remove([id], signal)).toBe(0);
    }
    expect(await deadLetters.list({}, { limit: 5 }, signal)).toEqual([letter]);
  });
});
