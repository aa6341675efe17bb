import { ContextModule } from '@core-infra/context';
import { eventually, type HttpApp, uniqueName, usePostgres } from '@core-infra/testing';
import { type CanActivate, Controller, type ExecutionContext, Injectable } from '@nestjs/common';
import { Ctx } from '@nestjs/microservices';
import { MessageContext, MessagingAdminModule, MessagingHub, Subscribe } from '../../src/index.js';
import { bootMessaging } from '../support/boot-messaging.js';
import { bootWithDatabase } from './support/boot-with-database.js';
import { letterOf } from './support/letters.js';

const postgres = usePostgres();
const signal = new AbortController().signal;

@Injectable()
class AdminGuard implements CanActivate {
  canActivate(call: ExecutionContext): boolean {
    return call.switchToHttp().getRequest<{ headers: Record<string, string> }>().headers['x-admin'] === 'ann';
  }
}

describe('the admin module', () => {
  let app: HttpApp;
  let hub: MessagingHub;
  let group: string;
  const seen: string[] = [];

  beforeAll(async () => {
    group = uniqueName('group');
    @Controller()
    class Handlers {
      @Subscribe('orders.placed')
      handle(@Ctx() { event }: MessageContext): void {
        seen.push(event.id);
      }
    }
    app = await bootWithDatabase({
      url: postgres.url,
      controllers: [Handlers],
      imports: [ContextModule.forRoot(), MessagingAdminModule.forRoot({ guards: [AdminGuard] })],
      messaging: { group },
    });
    hub = app.get<MessagingHub>(MessagingHub as never);
  });
  afterAll(() => app.close());

  const call = async (path: string, body?: unknown, admin = 'ann', timeoutMs?: string) => {
    const response = await app.fetch(`/admin/messaging/${path}`, {
      method: body === undefined ? 'GET' : 'POST',
      headers: {
        'x-admin': admin,
        ...(timeoutMs && { 'x-request-timeout-ms': timeoutMs }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: (await response.json()) as any };
  };

  it('shows, replays and discards dead letters', async () => {
    const letters = [letterOf(group), letterOf(group), letterOf(group), letterOf(group)];
    await hub.deadLetters.add(letters, signal);
    const ids = letters.map(({ id }) => id);
    const first = await call(`dead-letters?group=${group}&limit=3`);
    expect(first.body.deadLetters.map(({ id }: { id: string }) => id)).toEqual(ids.slice(0, 3));
    expect(first.body.next).toBe(ids[2]);
    const second = await call(`dead-letters?group=${group}&limit=3&after=${first.body.next}`);
    expect(second.body).toMatchObject({
      deadLetters: [{ id: ids[3], reason: 'attempts', error: { code: 'NO_STOCK' } }],
    });
    expect(second.body.next).toBeUndefined();
    expect(await call(`dead-letters/${ids[0]}`)).toMatchObject({ status: 200, body: { id: ids[0], body: '{"at":1}' } });

    const dry = await call('dead-letters/replay', { filter: { group }, dryRun: true });
    expect(dry.body).toMatchObject({ dryRun: true, deadLetters: ids.map(id => ({ id })) });
    expect(await call('dead-letters/replay', { filter: { group }, limit: 2 })).toEqual({
      status: 200,
      body: { replayed: 2, refused: [] },
    });
    await eventually(() =>
      expect(seen.toSorted()).toEqual([letters[0]!.message.id, letters[1]!.message.id].toSorted()),
    );
    expect(await call('dead-letters/discard', { ids: [ids[2]] })).toEqual({ status: 200, body: { discarded: 1 } });
    await eventually(async () =>
      expect((await call('backlog')).body).toEqual({
        groups: [{ group, inFlight: 0, pausedBy: [], topics: [{ topic: 'orders.placed', messages: 0 }] }],
        parked: { keys: 0, messages: 0 },
        deadLetters: 1,
      }),
    );
  });

  it('ends a slow replay before its caller has given up, says so, and goes on when it is asked again', async () => {
    await call('dead-letters/discard', { filter: { group } });
    const letters = Array.from({ length: 12 }, () => letterOf(group));
    await hub.deadLetters.add(letters, signal);
    const ids = letters.map(({ id }) => id);
    const replay = (perSecond: number) => call('dead-letters/replay', { filter: { group }, perSecond }, 'ann', '8000');
    // At this rate it would take 110 s.
    const { status, body } = await replay(0.1);
    expect([status, body]).toEqual([200, { replayed: 1, refused: [], unfinished: true }]);
    expect((await hub.deadLetters.list({ group }, { limit: 20 }, signal)).map(({ id }) => id)).toEqual(ids.slice(1));
    expect(await replay(100)).toEqual({ status: 200, body: { replayed: 11, refused: [] } });
  });

  it.each([
    ['dead-letters/replay', {}],
    ['dead-letters/replay', { ids: ['x'], filter: {} }],
    ['dead-letters/replay', { filter: { gruop: 'x' } }],
    ['dead-letters/replay', { filter: {}, limit: 100_000 }],
    ['dead-letters/discard', { filter: { since: 'yesterday' } }],
    ['dead-letters/discard', []],
    ['dead-letters?reason=x', undefined],
  ])('refuses what makes no sense: %s %j', async (path, body) => {
    const before = await hub.deadLetters.count({}, signal);
    expect((await call(path, body)).status).toBeGreaterThanOrEqual(400);
    expect(await hub.deadLetters.count({}, signal)).toBe(before);
  });

  it('lets nobody in whom its guards do not', async () => {
    expect((await call('dead-letters', undefined, 'bob')).status).toBe(403);
    expect((await call('dead-letters/discard', { filter: {} }, 'bob')).status).toBe(403);
    expect((await call('backlog', undefined, 'bob')).status).toBe(403);
  });

  it('is not mounted without guards', async () => {
    expect(() => MessagingAdminModule.forRoot({ guards: [] })).toThrow('has no guards');
    const imports = [MessagingAdminModule.forRoot({ guards: 'global' })];
    await expect(bootMessaging({ imports })).rejects.toMatchObject({
      code: 'INFRA_MESSAGING_ADMIN_UNGUARDED',
    });
    await using bare = await bootWithDatabase({ url: postgres.url });
    expect((await bare.fetch('/admin/messaging/backlog')).status).toBe(404);
  });
});
