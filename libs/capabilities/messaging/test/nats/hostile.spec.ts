import { connect } from 'node:net';
import { NatsClient } from '@core-infra/nats';
import { eventually, type HttpApp, uniqueName, useNats } from '@core-infra/testing';
import { NatsMessagingConfig } from '../../src/config/nats-messaging.config.js';
import { Names } from '../../src/drivers/nats/names.js';
import { EventBus, MessagingHub } from '../../src/index.js';
import { type Step, stepped } from '../postgres/fixtures/steps.js';
import { bootNats, stepsHandler } from './fixtures/boot-nats.js';

jest.setTimeout(60_000);

const server = useNats();
const hubOf = (app: HttpApp): MessagingHub => app.get(MessagingHub as never, { strict: false });

/** Publishes bytes as a client of another kind may: nothing looks at them but the server. */
async function publishRaw(subject: string, headers: string, body: string): Promise<void> {
  const { hostname, port, username, password } = new URL(server.url);
  const login = password ? { user: username, pass: password } : { auth_token: username };
  const socket = connect(Number(port), hostname);
  const told = new Promise<void>((resolve, reject) => {
    let text = '';
    socket.on('data', data => {
      text += data.toString();
      if (text.includes('PONG')) resolve();
      if (text.includes('-ERR')) reject(new Error(text));
    });
    socket.on('error', reject);
  });
  const head = Buffer.byteLength(headers);
  socket.write(`CONNECT ${JSON.stringify({ headers: true, verbose: false, pedantic: false, ...login })}\r\n`);
  socket.write(`HPUB ${subject} ${head} ${head + Buffer.byteLength(body)}\r\n${headers}${body}\r\nPING\r\n`);
  await told.finally(() => socket.destroy());
}

const event = ['ce-specversion: 1.0', 'ce-source: /s', `ce-type: ${stepped.type}`, 'content-type: application/json'];
const headersWith = (id: string, more: readonly string[], status = ''): string =>
  `NATS/1.0${status}\r\n${[...event, `ce-id: ${id}`, ...more].join('\r\n')}\r\n\r\n`;

describe('what strangers publish to NATS', () => {
  it('is handled or a dead letter, whatever its headers are, and holds up nothing else', async () => {
    const prefix = uniqueName('events').toLowerCase();
    const group = uniqueName('group');
    const seen: Step[] = [];
    await using app = await bootNats({
      url: server.url,
      prefix,
      controllers: [stepsHandler(step => void seen.push({ ...step }))],
      options: { group },
    });
    const bus = app.get(EventBus);
    await bus.publish(stepped.of({ key: 'first', at: 0 }));
    await eventually(() => expect(seen).toHaveLength(1));
    const names = new Names(Object.assign(new NatsMessagingConfig(), { prefix }));
    const subject = names.events(stepped.type, 0);
    const reads = jest.spyOn(console, 'log').mockImplementation(() => undefined);
    const body = (at: number): string => JSON.stringify({ key: 'raw', at });
    await publishRaw(subject, headersWith('1', ['x-a: one\ntwo', 'x b: space', 'größe: 1', 'none']), body(1));
    await publishRaw(subject, headersWith('2', [], ' 503 no responders'), body(2));
    await publishRaw(
      subject,
      headersWith(
        '3',
        Array.from({ length: 4_000 }, (_, n) => `x-${n}: ${n}`),
      ),
      body(3),
    );
    await publishRaw(subject, 'NATS/1.0\r\n\u0000: x\n\r\n\r\n', body(4));
    for (const beat of ['no beat', 'null', '{"member":"m","topics":{"t":1}}'])
      app.get(NatsClient).connection.publish(names.members(group), beat);
    await bus.publish(stepped.of({ key: 'last', at: 0 }));
    await eventually(() => expect(seen.map(({ at }) => at).toSorted((a, b) => a - b)).toEqual([0, 0, 1, 2, 3]), {
      timeoutMs: 30_000,
    });
    await eventually(async () => {
      const letters = await hubOf(app).deadLetters.list({}, { limit: 9 }, AbortSignal.timeout(5_000));
      expect(letters.map(({ reason, message }) => [reason, message.body.toString()])).toEqual([
        ['undecodable', body(4)],
      ]);
    });
    expect(reads).not.toHaveBeenCalledWith('reader closed', expect.anything());
    reads.mockRestore();
  });
});
