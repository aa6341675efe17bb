import { eventually, uniqueName, useNats } from '@core-infra/testing';
import { DeadLetterDesk } from '../../src/admin/dead-letter-desk.js';
import { uuidV7 } from '../../src/events/event-ids.js';
import { type DeadLetter, MessagingHub } from '../../src/index.js';
import { stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(120_000);

const server = useNats();
const count = 3_000;
const ever = () => AbortSignal.timeout(90_000);

describe('thousands of dead letters on NATS', () => {
  it('are listed, shown, replayed to their group and discarded, all of them, whatever the order of their ids', async () => {
    const replayed: number[] = [];
    await using app = await bootNats({
      url: server.url,
      prefix: uniqueName('events').toLowerCase(),
      controllers: [stepsHandler(({ at }) => void replayed.push(at))],
      options: { group: 'mine' },
    });
    const hub: MessagingHub = app.get(MessagingHub as never, { strict: false });
    const { deadLetters } = hub.driver;
    // Processes that bury at once have ids that cross on their way.
    const ids = Array.from({ length: count }, () => uuidV7(Date.now())).map((id, at, all) => all[at ^ 1] ?? id);
    const letters = ids.map((id, at): DeadLetter => {
      const group = at % 3 === 0 ? 'theirs' : 'mine';
      return {
        id,
        group,
        message: {
          id: `event-${at}`,
          topic: stepped.type,
          key: `key-${at % 10}`,
          headers: { ce_specversion: '1.0', ce_id: `event-${at}`, ce_source: '/s', ce_type: stepped.type },
          body: Buffer.from(JSON.stringify({ key: `key-${at % 10}`, at })),
        },
        reason: 'attempts',
        error: { name: 'Error', message: 'never' },
        partition: 0,
        position: at,
        attempts: 3,
        firstAttemptAt: 1,
        lastAttemptAt: 2,
      };
    });
    for (let at = 0; at < count; at += 500) await deadLetters.add(letters.slice(at, at + 500), ever());
    const desk = new DeadLetterDesk(hub);
    expect(await desk.count({}, ever())).toBe(count);
    expect(await deadLetters.sizes!(ever())).toEqual(new Map([['', count]]));
    const listed: string[] = [];
    for await (const page of desk.select({ filter: { group: 'mine' } }, ever()))
      listed.push(...page.map(({ message }) => message.id));
    expect(new Set(listed).size).toBe((count * 2) / 3);
    expect(listed).toHaveLength((count * 2) / 3);
    expect((await desk.get(ids[1_234]!, ever())).message.id).toBe('event-1234');

    const filter = { group: 'mine', key: 'key-7' };
    const wanted = letters.filter(({ group, message }) => group === 'mine' && message.key === 'key-7');
    expect(await desk.replay({ filter }, { signal: ever() })).toMatchObject({
      replayed: wanted.length,
      gone: 0,
      refused: [],
    });
    await eventually(() => expect(replayed).toHaveLength(wanted.length), { timeoutMs: 30_000 });
    expect(new Set(replayed)).toEqual(new Set(wanted.map(({ position }) => position)));
    // The rest of a group goes, though the letters of another one are between them.
    expect(await desk.discard({ filter: { group: 'mine' } }, ever())).toBe((count * 2) / 3 - wanted.length);
    expect(await desk.count({}, ever())).toBe(count / 3);
    expect(await desk.count({ group: 'mine' }, ever())).toBe(0);
    expect(await desk.discard({ filter: { error: 'Error' } }, ever())).toBe(count / 3);
    expect(await desk.count({}, ever())).toBe(0);
  });
});
