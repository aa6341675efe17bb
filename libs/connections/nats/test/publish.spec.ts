import { getEventListeners } from 'node:events';
import { NatsClient, NatsModule, type NatsOutgoing } from '@core-infra/nats';
import { bootInfra, eventually, failure, uniqueName, useNats } from '@core-infra/testing';
import { headers as newHeaders } from '@nats-io/transport-node';

const named = (name: string): string => uniqueName(name).replaceAll('.', '-');

describe('what is published to NATS', () => {
  const server = useNats();
  const boot = (options = {}) => bootInfra(NatsModule.forRoot({ startup: 'require', url: server.url, ...options }));

  it('has its headers as they are given, and those of JetStream', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = named('headers');
    await client.topology({
      streams: [{ name: stream, subjects: [`${stream}.*`], more: { allow_msg_ttl: true, allow_msg_schedules: true } }],
    });
    const manager = await client.jetstreamManager();
    const kept = async (more: Partial<NatsOutgoing>): Promise<Record<string, string[]>> => {
      const { seq } = await client.publish({
        subject: `${stream}.a`,
        data: 'x',
        msgId: `id-${Math.random()}`,
        ...more,
      });
      const { header } = (await manager.streams.getMessage(stream, { seq }))!;
      return Object.fromEntries([...header].filter(([name]) => name !== 'Nats-Msg-Id'));
    };
    const given = newHeaders();
    given.append('Tenant', 'a');
    given.append('Tenant', 'b');
    expect(await kept({ headers: given })).toEqual({ Tenant: ['a', 'b'] });
    expect(await kept({ headers: { tenant: ['a', 'ü'], Tenant: ' c ' } })).toEqual({
      tenant: ['a', 'ü'],
      Tenant: ['c'],
    });
    expect(await kept({ ttlMs: 1_500 })).toEqual({ 'Nats-TTL': ['2s'] });
    const { seq } = await client.publish({
      subject: `${stream}.a`,
      data: 'x',
      msgId: 'own',
      headers: { 'Nats-Msg-Id': 'no' },
    });
    expect((await manager.streams.getMessage(stream, { seq }))!.header.values('Nats-Msg-Id')).toEqual(['own']);
    const at = new Date(Date.now() + 3_600_000);
    const target = `${stream}.later`;
    const time = `@at ${at.toISOString()}`;
    for (const specification of [at, { at }, { at: at.toISOString() }, time])
      expect(await kept({ schedule: { specification, target } })).toMatchObject({
        'Nats-Schedule': [time],
        'Nats-Schedule-Target': [target],
      });
    const daily = { specification: { cron: '0 0 5 * * *' }, target, source: `${stream}.b`, timezone: 'Asia/Tokyo' };
    expect(await kept({ schedule: { ...daily, ttl: '5s', rollup: 'sub' } })).toMatchObject({
      'Nats-Schedule': ['0 0 5 * * *'],
      'Nats-Schedule-Target': [target],
      'Nats-Schedule-Source': [`${stream}.b`],
      'Nats-Schedule-TTL': ['5s'],
      'Nats-Schedule-Time-Zone': ['Asia/Tokyo'],
      'Nats-Schedule-Rollup': ['sub'],
    });
    expect(await kept({ schedule: { specification: { every: '1h' }, target } })).toMatchObject({
      'Nats-Schedule': ['@every 1h'],
    });
    expect(await kept({ schedule: { specification: { predefined: '@daily' }, target } })).toMatchObject({
      'Nats-Schedule': ['@daily'],
    });
  });

  it('is kept only where the stream is as it is expected to be', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const stream = named('expect');
    await client.topology({ streams: [{ name: stream, subjects: [`${stream}.*`] }] });
    const publish = (expect: NatsOutgoing['expect']) =>
      client.publish({ subject: `${stream}.a`, data: 'x', expect: expect! });
    const refused = async (expected: NatsOutgoing['expect']): Promise<unknown> =>
      ((await failure(publish(expected))) as { apiCode?: number }).apiCode;
    expect(await publish({ streamName: stream, lastSequence: 0, lastSubjectSequence: 0 })).toMatchObject({ seq: 1 });
    expect(await refused({ lastSequence: 0 })).toBe(10_071);
    expect(await refused({ lastSubjectSequence: 0 })).toBe(10_071);
    expect(await refused({ streamName: 'another' })).toBe(10_060);
    expect(await refused({ lastMsgID: 'another' })).toBe(10_070);
    expect(await refused({ lastSubjectSequence: 1, lastSubjectSequenceSubject: `${stream}.b` })).toBe(10_071);
  });

  it('with a name or a value that no header can have goes nowhere', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const wrong: Record<string, string>[] = [
      { 'a b': 'x' },
      { 'a:b': 'x' },
      { größe: 'x' },
      { '': 'x' },
      { a: 'x\r\nb: y' },
    ];
    for (const headers of wrong)
      expect((await failure(client.publish({ subject: 'a', data: 'x', headers }))).name).toBe('InvalidArgumentError');
  });

  it('is sent again with the same id while nobody answers, and given up in time', async () => {
    await using app = await boot({ commandTimeoutMs: 50 });
    const client = app.get(NatsClient);
    const subject = named('silent');
    const ids: string[] = [];
    client.connection.subscribe(subject, {
      callback: (_, message) => void ids.push(message.headers!.get('Nats-Msg-Id')),
    });
    const error = failure(client.publish({ subject, data: 'x', msgId: 'the-same' }, { timeoutMs: 500 }));
    const answered = client.publish({ subject: `${subject}.later`, data: 'x' }, { timeoutMs: 60_000 });
    await eventually(() => expect(ids.length).toBeGreaterThan(2));
    expect(await error).toMatchObject({ code: 'INFRA_NATS_TIMEOUT' });
    expect(new Set(ids)).toEqual(new Set(['the-same']));
    await expect(answered).rejects.toMatchObject({ code: 'INFRA_NATS_NO_STREAM' });
  });

  it('is given up with the signal, to which many listen as one', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const subject = named('silent');
    client.connection.subscribe(subject, { callback: () => undefined });
    const controller = new AbortController();
    const { signal } = controller;
    const listeners = (): number => getEventListeners(signal, 'abort').length;
    const given = Array.from({ length: 100 }, () => failure(client.publish({ subject, data: 'x' }, { signal })));
    expect(listeners()).toBe(1);
    const reason = new Error('enough');
    controller.abort(reason);
    expect(new Set(await Promise.all(given))).toEqual(new Set([reason]));
    expect(listeners()).toBe(0);
  });

  it('is not taken to be kept by an answer that is none of a stream', async () => {
    await using app = await boot();
    const client = app.get(NatsClient);
    const subject = named('odd');
    const answers = ['{}', 'x', '{"error":{"code":500,"err_code":10077,"description":"maximum messages exceeded"}}'];
    let next = 0;
    client.connection.subscribe(subject, { callback: (_, message) => void message.respond(answers[next++]!) });
    const errors = [];
    for (const _ of answers) errors.push(await failure(client.publish({ subject, data: 'x' })));
    expect(errors.map(({ name }) => name)).toEqual(['JetStreamError', 'SyntaxError', 'NatsRefusedError']);
  });
});
