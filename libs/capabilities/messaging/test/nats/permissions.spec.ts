import { NatsClient, NatsModule } from '@core-infra/nats';
import { bootLogged, eventually, failure, type HttpApp, useNatsServer } from '@core-infra/testing';
import { EventBus, MessagingHub } from '../../src/index.js';
import { type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(60_000);

const words = ['events', 'events_tasks', 'events_retry', 'events_dlq', 'events_owners', 'events_parked'];
const publish = [...words, 'events_members', '$JS.API', '$JS.ACK'].map(word => `${word}.>`);
const subscribe = ['_INBOX.>', 'events_members.>'];
const without = (list: readonly string[], word: string) => list.filter(each => each !== word);

describe('an account of NATS', () => {
  const server = useNatsServer({
    users: [
      { name: 'enough', password: 'pw', publish, subscribe },
      { name: 'no-events', password: 'pw', publish: without(publish, 'events.>'), subscribe },
      { name: 'no-api', password: 'pw', publish: without(publish, '$JS.API.>'), subscribe },
      { name: 'no-members', password: 'pw', publish, subscribe: without(subscribe, 'events_members.>') },
      { name: 'no-owners', password: 'pw', publish: without(publish, 'events_owners.>'), subscribe },
      { name: 'no-ack', password: 'pw', publish: without(publish, '$JS.ACK.>'), subscribe },
    ],
  });
  const boot = (name: string, seen: Step[] = []) =>
    bootNats({
      url: server.urlFor(name, 'pw'),
      prefix: 'events',
      controllers: [stepsHandler(step => void seen.push(step))],
      options: { group: name },
      connection: { commandTimeoutMs: 2_000 },
    });
  const troubleOf = (app: HttpApp): string | undefined => {
    const hub: MessagingHub = app.get(MessagingHub as never, { strict: false });
    return [...hub.members][0]!.state.trouble?.message;
  };

  it('that may do what the docs list can do all', async () => {
    const seen: Step[] = [];
    await using app = await boot('enough', seen);
    await app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 }));
    await eventually(() => expect(seen).toHaveLength(1));
  });

  it('that may not publish to a topic is told so by whoever publishes, at once', async () => {
    await using app = await boot('no-events');
    const began = performance.now();
    const error = await failure(app.get(EventBus).publish(stepped.of({ key: 'a', at: 0 })));
    expect(error).toMatchObject({ code: 'INFRA_NATS_PERMISSION', operation: 'publish' });
    expect(error.message).toMatch(/may not publish to events\.steps\.made\.\d\. Permit it/);
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('that may not ask JetStream is told so by the boot', async () => {
    const began = performance.now();
    const error = await failure(boot('no-api'));
    expect(`${error.message} ${(error.cause as Error | undefined)?.message ?? ''}`).toMatch(
      /may not publish to \$JS\.API\.STREAM\.\S+/,
    );
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it.each([
    ['no-members', /may not subscribe to events_members\.no-members/i],
    ['no-owners', /may not publish to events_owners\.no-owners\.steps~made\.\d/i],
  ])('%s: the group says what it may not', async (name, told) => {
    const began = performance.now();
    await using app = await boot(name);
    await eventually(() => expect(troubleOf(app)).toMatch(told));
    expect(performance.now() - began).toBeLessThan(5_000);
  });

  it('that may not acknowledge is told so in the log', async () => {
    await using booted = await bootLogged(
      NatsModule.forRoot({ startup: 'require', url: server.urlFor('no-ack', 'pw') }),
    );
    booted.app.get(NatsClient).connection.publish('$JS.ACK.EVENTS.g.1.1.1.1.0', '+ACK');
    await eventually(() => expect(booted.logger.matching(/may not publish to \$JS\.ACK\.EVENTS\.g/)).toHaveLength(1));
  });
});
