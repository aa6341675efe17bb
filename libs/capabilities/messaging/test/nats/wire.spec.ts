import { fromNats, toNats } from '../../src/drivers/nats/wire.js';
import type { Feed } from '../../src/drivers/nats/feed.js';
import { heldOf } from '../../src/drivers/nats/held.js';
import { RawHeaders } from '../../src/drivers/nats/raw-headers.js';
import { deliveryOf } from '../../src/drivers/nats/delivery.js';

const entries = (headers: Record<string, string>): [string, string[]][] =>
  Object.entries(headers).map(([name, value]) => [name, [value]]);

describe('a message on its way over NATS', () => {
  it('has the names of CloudEvents’ binding, and values of printable ASCII alone', () => {
    const headers = {
      ce_id: '1',
      ce_source: '/s',
      ce_subject: 'süß ☃ 100% "x"\r\n',
      'content-type': 'application/json',
      'x-tenant': ' a ',
    };
    const sent = toNats({ id: '1', topic: 't', key: 'größer', headers, body: Buffer.from('{}') });
    expect(sent.headers).toEqual({
      'ce-id': '1',
      'ce-source': '/s',
      'ce-subject': 's%C3%BC%C3%9F%20%E2%98%83%20100%25%20%22x%22%0D%0A',
      'content-type': 'application/json',
      'x-tenant': '%20a%20',
      'x-infra-key': 'gr%C3%B6%C3%9Fer',
    });
    expect(sent.msgId).toBe('t%20/s%201');
    const { message, extra } = fromNats(entries({ ...sent.headers, 'Nats-Msg-Id': sent.msgId }), sent.data, '-');
    expect(message).toEqual({ id: '1', key: 'größer', headers, body: Buffer.from('{}') });
    expect(extra).toEqual({ key: 'größer' });
  });

  it('is believed what it says of its attempts only where the group alone puts messages', () => {
    const messageOf = (isShared: boolean, said: Record<string, string>) => {
      const feed = { isShared, ref: { topic: 't', number: 0 }, source: { stream: 'S' } } as unknown as Feed;
      const lines = Object.entries(said).map(([name, value]) => `${name}: ${value}`);
      const headers = new RawHeaders(['NATS/1.0', ...lines, '', ''].join('\r\n'));
      const delivered = { headers, reply: 'r', sequence: 1, time: 5, now: 0 };
      const { message } = heldOf(feed, { data: Buffer.from('{}') }, delivered);
      const { attempts, firstAttemptAt, notBefore, redelivered } = message;
      return { attempts, firstAttemptAt, notBefore, redelivered };
    };
    const said = { 'x-infra-attempts': '3', 'x-infra-first-attempt-at': '7', 'x-infra-not-before': '9' };
    const nothing = { attempts: 0, firstAttemptAt: undefined, notBefore: undefined };
    expect(messageOf(true, said)).toEqual({ attempts: 3, firstAttemptAt: 7, notBefore: 9, redelivered: true });
    expect(messageOf(false, said)).toEqual(nothing);
    const absurd = { 'x-infra-attempts': 'x', 'x-infra-first-attempt-at': '-1', 'x-infra-not-before': '1e99' };
    expect(messageOf(true, absurd)).toEqual({ ...nothing, redelivered: true });
  });

  it('of another system is known by what it says of itself, or by its place', () => {
    const said = fromNats(
      [
        ['Nats-Msg-Id', ['m-1']],
        ['Content-Type', ['text/plain']],
        ['rate', ['100%']],
      ],
      Buffer.from('x'),
      'S:1',
    );
    expect(said.message).toEqual({
      id: 'm-1',
      headers: { 'content-type': 'text/plain', rate: '100%' },
      body: Buffer.from('x'),
    });
    expect(fromNats(undefined, Buffer.from('x'), 'S:1').message.id).toBe('S:1');
    expect(
      fromNats(
        [
          ['Ce-Id', ['7']],
          ['CE-Type', ['t']],
        ],
        Buffer.from('x'),
        'S:1',
      ).message,
    ).toMatchObject({
      id: '7',
      headers: { ce_id: '7', ce_type: 't' },
    });
  });

  it('is told by its answer’s subject, of servers new and old', () => {
    const expected = { count: 2, sequence: 30, time: 1_700_000_000_000 };
    expect(deliveryOf('$JS.ACK._.hash.S.c.2.30.4.1700000000000000000.5.token')).toEqual(expected);
    expect(deliveryOf('$JS.ACK.S.c.2.30.4.1700000000000000000.5')).toEqual(expected);
  });
});
