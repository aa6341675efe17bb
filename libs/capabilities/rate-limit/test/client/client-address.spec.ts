import { Controller, Get, Logger } from '@nestjs/common';
import { httpAdapters } from '@core-infra/testing';
import fc from 'fast-check';
import { ClientAddresses } from '../../src/client/client-address.js';
import { networkOf, parseAddress, parseNetworks } from '../../src/client/networks.js';
import { ClientConfig, RateLimit } from '../../src/index.js';
import { bootLimited } from '../http/support.js';

interface Sent {
  readonly peer?: string;
  readonly header?: string;
  readonly unix?: boolean;
}

function clientOf({ peer, header, unix }: Sent, config: Partial<ClientConfig> = {}): string | undefined {
  const addresses = new ClientAddresses(Object.assign(new ClientConfig(), config));
  const server = { address: () => (unix ? '/run/app.sock' : { port: 80 }) };
  const name = config.header ?? 'x-forwarded-for';
  const request = { socket: { remoteAddress: peer, server }, headers: header === undefined ? {} : { [name]: header } };
  return addresses.of(request as never)?.toString();
}

const trusted = { trustedProxies: ['10.0.0.0/8', 'loopback'] };

describe('the client’s address', () => {
  it.each([
    ['an untrusted peer is believed nothing', { peer: '192.0.2.9', header: '1.2.3.4' }, trusted, '192.0.2.9'],
    ['nobody is trusted by default', { peer: '127.0.0.1', header: '1.2.3.4' }, {}, '127.0.0.1'],
    ['a trusted peer says who called', { peer: '10.0.0.1', header: '1.2.3.4' }, trusted, '1.2.3.4'],
    ['a trusted peer says nothing', { peer: '10.0.0.1' }, trusted, '10.0.0.1'],
    [
      'from the right, what a client put before it is not met',
      { peer: '10.0.0.1', header: '6.6.6.6, 1.2.3.4' },
      trusted,
      '1.2.3.4',
    ],
    ['past all trusted proxies', { peer: '127.0.0.1', header: '1.2.3.4, 10.9.9.9,10.8.8.8' }, trusted, '1.2.3.4'],
    ['all of them proxies: the farthest', { peer: '127.0.0.1', header: '10.1.1.1, 10.9.9.9' }, trusted, '10.1.1.1'],
    ['with a port, as some proxies write it', { peer: '10.0.0.1', header: '1.2.3.4:5678' }, trusted, '1.2.3.4'],
    ['IPv6 in brackets with a port', { peer: '10.0.0.1', header: '[2001:db8::1]:443' }, trusted, '2001:db8::1'],
    ['IPv4 in IPv6 notation, on the socket', { peer: '::ffff:10.0.0.1', header: '1.2.3.4' }, trusted, '1.2.3.4'],
    ['IPv4 in IPv6 notation, in the header', { peer: '10.0.0.1', header: '::ffff:1.2.3.4' }, trusted, '1.2.3.4'],
    [
      'a network in IPv6 notation',
      { peer: '10.0.0.1', header: '1.2.3.4' },
      { trustedProxies: ['::ffff:10.0.0.0/104'] },
      '1.2.3.4',
    ],
    [
      'an interface behind an address',
      { peer: 'fe80::1%eth0', header: '1.2.3.4' },
      { trustedProxies: ['linklocal'] },
      '1.2.3.4',
    ],
    ['malformed: the peer', { peer: '10.0.0.1', header: 'unknown' }, trusted, '10.0.0.1'],
    ['malformed on the way: the peer', { peer: '10.0.0.1', header: '1.2.3.4, x, 10.0.0.2' }, trusted, '10.0.0.1'],
    ['empty: the peer', { peer: '10.0.0.1', header: '' }, trusted, '10.0.0.1'],
    ['numbers that only inet_aton takes for addresses', { peer: '10.0.0.1', header: '0x7f.1' }, trusted, '10.0.0.1'],
    [
      'a count of proxies',
      { peer: '203.0.113.1', header: '9.9.9.9, 1.2.3.4, 203.0.113.2' },
      { proxyHops: 2 },
      '1.2.3.4',
    ],
    ['a count of proxies, and fewer came', { peer: '203.0.113.1', header: '1.2.3.4' }, { proxyHops: 3 }, '1.2.3.4'],
    [
      'another header',
      { peer: '10.0.0.1', header: '1.2.3.4' },
      { ...trusted, header: 'CF-Connecting-IP'.toLowerCase() },
      '1.2.3.4',
    ],
    [
      'Forwarded',
      { peer: '10.0.0.1', header: 'for=6.6.6.6, for=1.2.3.4;proto=https;by=10.0.0.1' },
      { ...trusted, header: 'forwarded' },
      '1.2.3.4',
    ],
    [
      'Forwarded, quoted',
      { peer: '10.0.0.1', header: 'proto=http;For="[2001:db8::17]:4711"' },
      { ...trusted, header: 'forwarded' },
      '2001:db8::17',
    ],
    [
      'Forwarded, a quote left open by the client',
      { peer: '10.0.0.1', header: 'for=", for=1.2.3.4' },
      { ...trusted, header: 'forwarded' },
      '1.2.3.4',
    ],
    [
      'Forwarded, hidden on purpose: the peer',
      { peer: '10.0.0.1', header: 'for=_secret' },
      { ...trusted, header: 'forwarded' },
      '10.0.0.1',
    ],
    ['a trusted Unix socket', { unix: true, header: '1.2.3.4' }, { trustedProxies: ['unix'] }, '1.2.3.4'],
    ['a Unix socket that is not trusted', { unix: true, header: '1.2.3.4' }, trusted, undefined],
    ['a socket that is closed', { header: '1.2.3.4' }, { trustedProxies: ['unix', 'loopback'] }, undefined],
  ] satisfies [string, Sent, Partial<ClientConfig>, string | undefined][])('%s', (_what, sent, config, expected) => {
    expect(clientOf(sent, config)).toBe(expected);
  });

  const anything = fc.oneof(
    fc.string(),
    fc
      .array(
        fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.constantFrom('"', ',', '10.0.0.1', 'for=', '::ffff:10.0.0.1')),
      )
      .map(all => all.join(',')),
  );
  const outside = fc.oneof(fc.ipV4(), fc.ipV6()).filter(address => !/^(10|127)\.|^0*:|:10\.|:127\./.test(address));
  const canonical = (address: string): string => parseAddress(address)!.toString();

  it('is the client’s own, whatever it sends by itself', () => {
    fc.assert(
      fc.property(outside, anything, fc.constantFrom('x-forwarded-for', 'forwarded'), (peer, header, name) => {
        expect(clientOf({ peer, header }, { ...trusted, header: name })).toBe(canonical(peer));
      }),
    );
  });

  it('is the client’s own, whatever it sends through a proxy that appends', () => {
    fc.assert(
      fc.property(outside, anything, fc.boolean(), (client, sent, standard) => {
        const appended = standard ? `for="${client.includes(':') ? `[${client}]` : client}"` : client;
        const config = { ...trusted, header: standard ? 'forwarded' : 'x-forwarded-for' };
        const header = `${sent}, ${appended}`;
        expect(clientOf({ peer: '10.0.0.1', header }, config)).toBe(canonical(client));
        expect(
          clientOf(
            { peer: '198.51.100.1', header: `${header}, ${standard ? 'for=10.0.0.9' : '10.0.0.9'}` },
            { ...config, proxyHops: 1 },
          ),
        ).toBe(canonical(client));
      }),
    );
  });

  it('stands for its network under IPv6, and for itself under IPv4', () => {
    const network = (text: string, bits: number): string => networkOf(parseAddress(text)!, bits);
    expect(network('2001:db8:1:2:3:4:5:6', 64)).toBe('2001:db8:1:2::/64');
    expect(network('2001:db8:1:2ff::1', 56)).toBe('2001:db8:1:200::/56');
    expect(network('2001:db8::1', 128)).toBe('2001:db8::1/128');
    expect(network('::ffff:192.0.2.1', 64)).toBe('192.0.2.1');
  });

  it.each(['10.0.0.0/33', '10.0.0', 'fd00::/129', 'example.com', '', '10.0.0.0/', 'fe80::1%eth0', '10.0.0.1/-1'])(
    'takes %j for no network',
    text => {
      expect(parseNetworks(text)).toBeUndefined();
    },
  );
});

@Controller()
class WhoController {
  @RateLimit({ limit: 1, windowMs: 60_000 })
  @Get('once')
  once(): string {
    return 'once';
  }
}

describe.each(httpAdapters)('behind proxies, on %s', adapter => {
  const from = (forwarded: string): RequestInit => ({ headers: { 'x-forwarded-for': forwarded } });

  it('limits the client that a trusted proxy names, whatever that client claims', async () => {
    await using app = await bootLimited(adapter, WhoController, { client: { trustedProxies: ['loopback'] } });
    expect((await app.fetch('/once', from('198.51.100.1'))).status).toBe(200);
    expect((await app.fetch('/once', from('198.51.100.2'))).status).toBe(200);
    expect((await app.fetch('/once', from('203.0.113.7, 198.51.100.1'))).status).toBe(429);
    expect((await app.fetch('/once', from('::ffff:198.51.100.2'))).status).toBe(429);
  });

  it('believes nobody who is not trusted', async () => {
    await using app = await bootLimited(adapter, WhoController);
    expect((await app.fetch('/once', from('198.51.100.1'))).status).toBe(200);
    expect((await app.fetch('/once', from('198.51.100.2'))).status).toBe(429);
  });

  it('says once that a proxy may have been forgotten, and not where one is named', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockImplementation();
    try {
      await using named = await bootLimited(adapter, WhoController, { client: { trustedProxies: ['10.0.0.1'] } });
      await named.fetch('/once', from('198.51.100.1'));
      await using app = await bootLimited(adapter, WhoController);
      await app.fetch('/once');
      expect(warnings).not.toHaveBeenCalled();
      for (const client of ['198.51.100.1', '198.51.100.2']) await app.fetch('/once', from(client));
      expect(warnings.mock.calls).toEqual([
        [{ msg: expect.stringContaining('rateLimit.client.trustedProxies') as string, peer: '127.0.0.1' }],
      ]);
    } finally {
      warnings.mockRestore();
    }
  });

  it('takes an IPv6 network for one caller', async () => {
    await using app = await bootLimited(adapter, WhoController, { client: { trustedProxies: ['loopback'] } });
    expect((await app.fetch('/once', from('2001:db8:0:1::1'))).status).toBe(200);
    expect((await app.fetch('/once', from('2001:db8:0:1:ffff::2'))).status).toBe(429);
    expect((await app.fetch('/once', from('2001:db8:0:2::1'))).status).toBe(200);
    await using each = await bootLimited(adapter, WhoController, {
      client: { trustedProxies: ['loopback'], ipv6Prefix: 128 },
    });
    expect((await each.fetch('/once', from('2001:db8:0:1::1'))).status).toBe(200);
    expect((await each.fetch('/once', from('2001:db8:0:1::2'))).status).toBe(200);
  });
});
