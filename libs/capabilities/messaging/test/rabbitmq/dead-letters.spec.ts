import { RabbitmqClient } from '@core-infra/rabbitmq';
import { eventually, failure, type HttpApp, uniqueName, useRabbitmq } from '@core-infra/testing';
import { DeadLetterDesk } from '../../src/admin/dead-letter-desk.js';
import { MessagingHub } from '../../src/index.js';
import type { DeadLetter } from '../../src/stores/dead-letters.js';
import { bootRabbitmq } from './fixtures/boot-rabbitmq.js';

jest.setTimeout(120_000);

const server = useRabbitmq();

/** An operator: an app that consumes nothing. A command has less time than reading all letters takes. */
const operator = (queuePrefix: string) => bootRabbitmq(server.url, {}, [], { queuePrefix, commandTimeoutMs: 2_000 });
const deskOf = (app: HttpApp) => new DeadLetterDesk(app.get(MessagingHub));
const idOf = (at: number) => `id-${String(at).padStart(5, '0')}`;
const lettersOf = (count: number, body = Buffer.from([0, 255])): DeadLetter[] =>
  Array.from({ length: count }, (_, at) => ({
    id: idOf(at),
    group: at % 2 === 0 ? 'even' : 'odd',
    message: {
      id: `m-${at}`,
      topic: 'orders',
      key: `k-${at}`,
      // More than amqplib encodes as headers.
      headers: { 'x-note': 'ä', ...(at === 7 && { 'x-large': 'x'.repeat(70_000) }) },
      body,
    },
    reason: 'attempts' as const,
    error: { name: 'Error', message: `failed ${at}` },
    partition: 0,
    position: at,
    attempts: 3,
    firstAttemptAt: 1,
    lastAttemptAt: at,
  }));

describe('dead letters', () => {
  it('are found among thousands, oldest first, and leave the others as they were', async () => {
    await using app = await operator(`${uniqueName('letters')}.`);
    const { deadLetters } = app.get(MessagingHub);
    const signal = AbortSignal.timeout(60_000);
    const letters = lettersOf(1_500);
    await deadLetters.add(letters, signal);
    const odd = letters.filter(({ group }) => group === 'odd');
    expect(await deadLetters.list({ group: 'odd' }, { limit: 10 }, signal)).toEqual(odd.slice(0, 10));
    expect(await deadLetters.list({ group: 'odd' }, { limit: 5, after: odd[9]!.id }, signal)).toEqual(
      odd.slice(10, 15),
    );
    expect(await deadLetters.get(letters[7]!.id, signal)).toEqual(letters[7]);
    const all = [1, 2, 3].map(() => deadLetters.count({}, signal));
    expect(await Promise.all(all)).toEqual([1_500, 1_500, 1_500]);
    expect(await deadLetters.remove([letters[0]!.id, letters[1_499]!.id, 'no such'], signal)).toBe(2);
    expect(await deadLetters.count({ group: 'even' }, signal)).toBe(749);
    expect((await deadLetters.list({}, { limit: 2 }, signal)).map(({ id }) => id)).toEqual([idOf(1), idOf(2)]);
  });

  it('are all found where they are more than fit in memory, and can be had with all that came', async () => {
    await using app = await operator(`${uniqueName('large')}.`);
    const { deadLetters } = app.get(MessagingHub);
    const signal = AbortSignal.timeout(90_000);
    const letters = lettersOf(38, Buffer.alloc(900_000, 'x'));
    await deadLetters.add(letters, signal);
    expect(await deadLetters.count({ group: 'odd' }, signal)).toBe(19);
    expect(await deadLetters.get(idOf(37), signal)).toEqual(letters[37]);
    expect(await deadLetters.get(idOf(36), signal)).toEqual(letters[36]);
    expect(await deadLetters.remove([idOf(37)], signal)).toBe(1);
    expect(await deadLetters.get(idOf(37), signal)).toBeUndefined();
  });

  it('are replayed and discarded by thousands, by two operators at once, each of whom is told what it did', async () => {
    const prefix = `${uniqueName('two')}.`;
    await using one = await operator(prefix);
    await using other = await operator(prefix);
    const signal = AbortSignal.timeout(90_000);
    const count = 3_000;
    await one.get(MessagingHub).deadLetters.add(lettersOf(count), signal);
    const [replayed, discarded] = await Promise.all([
      deskOf(one).replay({ filter: { group: 'odd' } }, { signal }),
      deskOf(other).discard({ filter: { group: 'even' } }, signal),
    ]);
    expect(replayed).toEqual({ replayed: count / 2, gone: 0, refused: [] });
    expect(discarded).toBe(count / 2);
    const { messages } = await one.get(RabbitmqClient).depth('odd:orders:again');
    expect(messages).toBe(count / 2);
    expect(await deskOf(other).count({ group: 'odd' }, signal)).toBe(0);
  });

  it('that two operators replay at once are counted by one of them', async () => {
    const prefix = `${uniqueName('same')}.`;
    await using one = await operator(prefix);
    await using other = await operator(prefix);
    const signal = AbortSignal.timeout(60_000);
    await one.get(MessagingHub).deadLetters.add(lettersOf(100), signal);
    const both = await Promise.all([one, other].map(app => deskOf(app).replay({}, { signal })));
    expect(both.reduce((sum, { replayed }) => sum + replayed, 0)).toBe(100);
    const client = one.get(RabbitmqClient);
    const depths = await Promise.all(['odd', 'even'].map(group => client.depth(`${group}:orders:again`)));
    const sent = depths.reduce((sum, { messages }) => sum + messages, 0);
    expect(both.reduce((sum, { gone }) => sum + gone, 0)).toBe(sent - 100);
  });

  it('that somebody else removes while they are sent are told of as gone', async () => {
    await using app = await operator(`${uniqueName('gone')}.`);
    const signal = AbortSignal.timeout(60_000);
    const { deadLetters, driver } = app.get(MessagingHub);
    await deadLetters.add(lettersOf(4), signal);
    const send = driver.sendToGroup.bind(driver);
    jest.spyOn(driver, 'sendToGroup').mockImplementation(async (...args) => {
      await send(...args);
      await deadLetters.remove([idOf(1)], signal);
    });
    expect(await deskOf(app).replay({}, { signal })).toEqual({ replayed: 3, gone: 1, refused: [] });
  });

  it('are not shown in part: while others take from the queue, that is the answer', async () => {
    await using app = await operator(`${uniqueName('taken')}.`);
    const signal = AbortSignal.timeout(60_000);
    const { deadLetters } = app.get(MessagingHub);
    await deadLetters.add(lettersOf(3), signal);
    const thief = await app.get(RabbitmqClient).consume('dead-letters', { prefetch: 1 }, () => undefined);
    await eventually(() => expect(thief.inFlight).toBe(1));
    expect(await failure(deadLetters.list({}, { limit: 5 }, signal))).toMatchObject({
      code: 'INFRA_MESSAGING_QUEUE_TAKEN',
      problem: 'The queue dead-letters cannot be read whole: it has 1 other consumers.',
    });
    await thief.cancel();
    expect(await deadLetters.list({}, { limit: 5 }, signal)).toHaveLength(3);
  });
});
