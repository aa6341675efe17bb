import { DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { type DeadLetter, type DeadLetterFilter, EventBus, MessagingHub, Subscribe } from '../../src/index.js';
import { DatabaseDeadLetters } from '../../src/outbox/stores/database.dead-letters.js';
import { bootWithDatabase } from './support/boot-with-database.js';

const postgres = usePostgres();
const signal = new AbortController().signal;
const day = 86_400_000;
const start = Date.UTC(2026, 0, 1);

let made = 0;
/** Ids ascend, as they do. */
const letterOf = (group: string, given: Partial<DeadLetter> = {}): DeadLetter => ({
  id: `01890000-0000-7000-8000-${(made++).toString(16).padStart(12, '0')}`,
  group,
  message: {
    id: 'e1',
    topic: 'orders',
    key: 'k',
    headers: { ce_type: 'orders.placed' },
    body: Buffer.from([0, 255, 10]),
  },
  reason: 'attempts',
  error: { name: 'Error', message: 'no stock', stack: 'Error: no stock\n  at x' },
  partition: 3,
  position: 2 ** 40,
  attempts: 10,
  firstAttemptAt: start,
  lastAttemptAt: start + day,
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  ...given,
});

describe('dead letters in the database', () => {
  it('come back as they were, whatever a sender put into them', async () => {
    await using app = await bootWithDatabase({ url: postgres.url });
    const letters = new DatabaseDeadLetters(app.get(DataSource));
    const group = uniqueName('group');
    const hostile = 'a\0b\u{1F4A9}"\\{}' + 'x'.repeat(9_000);
    const all = [
      letterOf(group),
      letterOf(group, {
        message: {
          id: hostile,
          topic: 'orders',
          key: hostile,
          headers: { [hostile]: hostile, '\0': '' },
          body: Buffer.alloc(0),
        },
        error: { name: 'Type\0Error', code: 'E_X', message: hostile },
        position: -1,
      }),
      letterOf(group, { message: { id: 'keyless', topic: 'orders', headers: {}, body: Buffer.from('x') } }),
    ];
    delete (all[2] as { traceId?: string }).traceId;
    await letters.add(all, signal);
    await letters.add(all.slice(0, 1), signal);
    expect(await letters.list({ group }, { limit: 10 }, signal)).toEqual(all);
    expect(await letters.get(all[1]!.id, signal)).toEqual(all[1]);
    const body = Buffer.alloc(10_000_000, 7);
    const big = letterOf(group, { message: { id: 'big', topic: 'orders', headers: {}, body } });
    await letters.add([big], signal);
    expect((await letters.get(big.id, signal))!.message.body.equals(body)).toBe(true);
    expect(await letters.list({ group, key: hostile }, { limit: 10 }, signal)).toEqual([all[1]]);
  });

  it('are found by what is known of them, and read page by page', async () => {
    await using app = await bootWithDatabase({ url: postgres.url });
    const letters = new DatabaseDeadLetters(app.get(DataSource));
    const group = uniqueName('group');
    const topic = uniqueName('topic');
    const message = { id: 'e', headers: {}, body: Buffer.alloc(0) };
    const all = [
      letterOf(group, { message: { ...message, topic, key: 'a' }, reason: 'age' }),
      letterOf(group, { message: { ...message, topic, key: 'b' }, error: { name: 'E', code: 'INFRA_X', message: '' } }),
      letterOf(group, { message: { ...message, topic: 'other' }, lastAttemptAt: start + 2 * day }),
      letterOf(uniqueName('group'), { message: { ...message, topic }, error: { name: 'INFRA_X', message: '' } }),
    ];
    await letters.add(all, signal);
    const found = async (filter: DeadLetterFilter): Promise<number[]> => {
      const listed = await letters.list(filter, { limit: 100 }, signal);
      expect(await letters.count(filter, signal)).toBe(listed.length);
      return listed.map(({ id }) => all.findIndex(letter => letter.id === id));
    };
    expect(await found({ group })).toEqual([0, 1, 2]);
    expect(await found({ topic })).toEqual([0, 1, 3]);
    expect(await found({ topic, key: 'b' })).toEqual([1]);
    expect(await found({ topic, error: 'INFRA_X' })).toEqual([1, 3]);
    expect(await found({ group, reason: 'age' })).toEqual([0]);
    expect(await found({ group, since: start + 2 * day })).toEqual([2]);
    expect(await found({ group, until: start + day })).toEqual([0, 1]);
    expect(await found({ group, topic: 'none' })).toEqual([]);

    const page = await letters.list({ group }, { limit: 2 }, signal);
    const rest = await letters.list({ group }, { limit: 2, after: page[1]!.id }, signal);
    expect([...page, ...rest]).toEqual(all.slice(0, 3));
    expect(await letters.list({ group }, { limit: 2, after: 'no id' }, signal)).toEqual([]);
    expect(await letters.get('no id', signal)).toBeUndefined();
    expect(await letters.remove([all[0]!.id, all[0]!.id, 'no id', all[2]!.id], signal)).toBe(2);
    expect(await found({ group })).toEqual([1]);
  });

  it('are there for the next process', async () => {
    const group = uniqueName('group');
    @Controller()
    class Handlers {
      @Subscribe('orders.placed', { retry: { attempts: 1 } })
      handle(): void {
        throw new Error('no stock');
      }
    }
    {
      await using app = await bootWithDatabase({ url: postgres.url, controllers: [Handlers], messaging: { group } });
      const hub = app.get<MessagingHub>(MessagingHub as never);
      await hub.driver.publish(
        [
          {
            id: 'e1',
            topic: 'orders.placed',
            key: 'k',
            kind: 'event',
            headers: { ce_id: 'e1', ce_source: '/x', ce_type: 'orders.placed', ce_specversion: '1.0' },
            body: Buffer.from('{}'),
          },
        ],
        signal,
      );
      await eventually(async () => expect(await hub.deadLetters.count({ group }, signal)).toBe(1));
      expect(app.get(EventBus)).toBeInstanceOf(EventBus);
    }
    await using app = await bootWithDatabase({ url: postgres.url });
    const [letter] = await app
      .get<MessagingHub>(MessagingHub as never)
      .deadLetters.list({ group }, { limit: 2 }, signal);
    expect(letter).toMatchObject({
      group,
      message: { id: 'e1', topic: 'orders.placed', key: 'k', body: Buffer.from('{}') },
      reason: 'attempts',
      error: { name: 'Error', message: 'no stock' },
      attempts: 1,
    });
  });
});
