import { DataSource } from '@core-infra/database';
import { eventually, uniqueName, usePostgres } from '@core-infra/testing';
import { Controller } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { DeadLetterDesk } from '../../src/admin/dead-letter-desk.js';
import { MessageContext, MessagingHub, Subscribe } from '../../src/index.js';
import { bootWithDatabase } from './support/boot-with-database.js';
import { letterOf } from './support/letters.js';

const postgres = usePostgres();
const signal = new AbortController().signal;

describe('dead letters are replayed', () => {
  const open = async (handle: (context: MessageContext) => void = () => undefined) => {
    const group = uniqueName('group');
    const others: string[] = [];
    const seen: string[] = [];
    @Controller()
    class Handlers {
      @Subscribe('orders.placed', { retry: { attempts: 1 } })
      own(@Ctx() context: MessageContext): void {
        seen.push(context.event.id);
        handle(context);
      }

      @Subscribe('orders.placed', { group: `${group}-other` })
      other(@Ctx() { event }: MessageContext): void {
        others.push(event.id);
      }
    }
    const app = await bootWithDatabase({ url: postgres.url, controllers: [Handlers], messaging: { group } });
    const hub = app.get<MessagingHub>(MessagingHub as never);
    await app.get(DataSource).query('TRUNCATE messaging_dead_letters');
    return { hub, group, seen, others, desk: new DeadLetterDesk(hub), [Symbol.asyncDispose]: () => app.close() };
  };

  it('to the group that gave them up and to no other, and are gone then', async () => {
    await using at = await open();
    const { hub, group, desk } = at;
    const letters = Array.from({ length: 60 }, () => letterOf(group));
    const foreign = letterOf(`${group}-elsewhere`);
    await hub.deadLetters.add([...letters, foreign], signal);
    expect(await desk.replay({ filter: { group } }, { signal })).toEqual({ replayed: 60, gone: 0, refused: [] });
    await eventually(() => expect(at.seen.toSorted()).toEqual(letters.map(({ message }) => message.id).toSorted()));
    expect(at.others).toEqual([]);
    expect(await hub.deadLetters.list({}, { limit: 100 }, signal)).toEqual([foreign]);
  });

  it('are published again to every group, when the outbox could not', async () => {
    await using at = await open();
    const letter = letterOf('outbox', { reason: 'unpublishable', kind: 'event' });
    await at.hub.deadLetters.add([letter], signal);
    expect((await at.hub.deadLetters.get(letter.id, signal))!.kind).toBe('event');
    expect(await at.desk.replay({ ids: [letter.id] }, { signal })).toEqual({ replayed: 1, gone: 0, refused: [] });
    await eventually(() => expect([at.seen, at.others]).toEqual([[letter.message.id], [letter.message.id]]));
    expect(await at.desk.count({}, signal)).toBe(0);
  });

  it('once each, though they fail again meanwhile', async () => {
    await using at = await open(() => {
      throw new Error('still no stock');
    });
    const letters = [letterOf(at.group), letterOf(at.group), letterOf(at.group)];
    await at.hub.deadLetters.add(letters, signal);
    expect(await at.desk.replay({ filter: {} }, { perSecond: 20, signal })).toEqual({
      replayed: 3,
      gone: 0,
      refused: [],
    });
    await eventually(async () => {
      const again = await at.hub.deadLetters.list({}, { limit: 10 }, signal);
      expect(again.map(({ message, error }) => `${message.id}: ${error.message}`).toSorted()).toEqual(
        letters.map(({ message }) => `${message.id}: still no stock`),
      );
    });
    expect(at.seen).toHaveLength(3);
  });

  it('no faster than is asked for', async () => {
    await using at = await open();
    await at.hub.deadLetters.add(
      Array.from({ length: 6 }, () => letterOf(at.group)),
      signal,
    );
    const since = performance.now();
    expect((await at.desk.replay({ filter: {} }, { perSecond: 20, signal })).replayed).toBe(6);
    // Two at once, then two each tenth of a second; timers may fire some milliseconds early.
    expect(performance.now() - since).toBeGreaterThan(170);
  });

  it('and stay where the broker does not take them', async () => {
    await using at = await open();
    const letters = [letterOf(at.group), letterOf('outbox', { reason: 'unpublishable' })];
    await at.hub.deadLetters.add(letters, signal);
    const { driver } = at.hub;
    const away = new Error('no route to the broker');
    jest.spyOn(driver, 'sendToGroup').mockRejectedValue(away);
    jest.spyOn(driver, 'publish').mockResolvedValue([away]);
    const { replayed, refused } = await at.desk.replay({ filter: {} }, { signal });
    expect([replayed, refused.map(({ id }) => id)]).toEqual([0, letters.map(({ id }) => id)]);
    expect(await at.desk.count({}, signal)).toBe(2);
  });
});
