import { fromNats, toNats } from '../../src/drivers/nats/wire.js';
import type { Feed } from '../../src/drivers/nats/feed.js';
import { messageOf as messageFrom } from '../../src/drivers/nats/held.js';
import { RawHeaders } from '../../src/drivers/nats/raw-headers.js';
import { deliveryOf } from '../../src/drivers/nats/delivery.js';

const rawOf = (headers: readonly (readonly [string, string])[]): RawHeaders =>
  new RawHeaders(['NATS/1.0', ...headers.map(([name, value]) => `${name}: ${value}`), '', ''].join('\r\n'));

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
    const raw = rawOf(Object.entries({ ...sent.headers, 'Nats-Msg-Id': sent.msgId }));
    const extra = { key: 'größer' };
    expect(fromNats(raw, sent.data, '-')).toEqual({ id: '1', key: 'größer', headers, body: Buffer.from('{}'), extra });
  });

  it('is believed what it says of its attempts only where the group alone puts messages', () => {
    const messageOf = (isShared: boolean, said: Record<string, string>) => {
      const feed = { isShared, ref: { topic: 't', number: 0 }, source: { stream: 'S' } } as unknown as Feed;
      const lines = Object.entries(said).map(([name, value]) => `${name}: ${value}`);
      const headers = new RawHeaders(['NATS/1.0', ...lines, '', ''].join('\r\n'));
      const delivered = { headers, reply: 'r', sequence: 1, time: 5, now: 0 };
      const message = messageFrom(feed, { data: Buffer.from('{}') }, delivered);
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
    const body = Buffer.from('x');
    const said = rawOf([
      ['Nats-Msg-Id', 'm-1'],
      ['Nats-Msg-Id', 'm-2'],
      ['Nats-Pin-Id', 'p'],
      ['Content-Type', 'text/plain'],
      ['rate', '100%'],
      ['rate', '%32'],
      ['toString', 'x'],
      ['__proto__', 'x'],
    ]);
    expect(fromNats(said, body, 'S:1')).toEqual({
      id: 'm-1',
      headers: { 'content-type': 'text/plain', rate: '100%, 2', toString: 'x' },
      body,
      extra: {},
    });
    expect(fromNats(undefined, body, 'S:1').id).toBe('S:1');
    const shouted = rawOf([
      ['Ce-Id', '7'],
      ['CE-Type', 't'],
    ]);
    expect(fromNats(shouted, body, 'S:1')).toMatchObject({ id: '7', headers: { ce_id: '7', ce_type: 't' } });
  });

  it('has the headers that its lines say, and the rest does no harm', () => {
    const headers = new RawHeaders('NATS/1.0\r\nnone\r\na: 1\r\nnone either\r\n b :  2 \r\na:3\r\n:4\r\nno end');
    expect(headers.names).toEqual(['a', ' b ', 'a', '']);
    expect(headers.values).toEqual(['1', '2', '3', '4']);
    expect([headers.get('a'), headers.get('c'), headers.code]).toEqual(['1', '', 0]);
    const status = new RawHeaders('NATS/1.0 409 Message Size Exceeds MaxBytes\r\nNats-Pending-Messages: 7\r\n\r\n');
    expect([status.code, status.description]).toEqual([409, 'Message Size Exceeds MaxBytes']);
    expect(status.get('Nats-Pending-Messages')).toBe('7');
  });

  it('is told by its answer’s subject, of servers new and old', () => {
    const expected = { count: 2, sequence: 30, time: 1_700_000_000_000 };
    expect(deliveryOf('$JS.ACK._.hash.S.c.2.30.4.1700000000000000000.5.token')).toEqual(expected);
    expect(deliveryOf('$JS.ACK.S.c.2.30.4.1700000000000000000.5')).toEqual(expected);
  });
});
