import { Logger } from '@nestjs/common';
import type { IncomingMessage } from 'node:http';
import type { ClientConfig } from './client.config.js';
import { hopsOf } from './forwarded.js';
import { type Address, Networks, parseAddress } from './networks.js';

type Request = Pick<IncomingMessage, 'headers' | 'socket'>;

/** Finds out who called, past the proxies that are trusted and no further. What the frameworks believe of proxies is not asked. */
export class ClientAddresses {
  private seen?: readonly string[];
  private networks = new Networks([]);
  /** A socket brings many requests. */
  private readonly peers = new WeakMap<object, Address>();

  private readonly logger = new Logger('RateLimit');
  private warned = false;

  constructor(private readonly config: ClientConfig) {}

  /**
   * The address of the client: the socket's own, unless that is a trusted proxy's; then the nearest one in the header that is not a trusted
   * proxy's too. A header in which something else than an address is met on the way counts for nothing.
   * `undefined` when the socket has none: it is closed already, or a Unix socket that is not trusted.
   */
  of(request: Request): Address | undefined {
    const peer = this.peerOf(request);
    if (!this.trusts(peer, 0, request)) {
      if (!this.warned) this.warnOfProxy(peer, request);
      return peer;
    }
    const name = this.config.header.toLowerCase();
    const value = request.headers[name];
    if (value === undefined) return peer;
    let hop = 0;
    let nearest = peer;
    for (const address of hopsOf(name, String(value))) {
      if (!address) return peer;
      nearest = address;
      if (!this.trusts(address, (hop += 1), request)) break;
    }
    return nearest;
  }

  /** All that come through a proxy which nobody named share one limit, and soon none of them passes: it is said once. */
  private warnOfProxy(peer: Address | undefined, { headers }: Request): void {
    const { trustedProxies, proxyHops, header } = this.config;
    const inside =
      peer && ['private', 'loopback', 'uniqueLocal', 'linkLocal', 'carrierGradeNat'].includes(peer.range());
    if (!inside || trustedProxies.length > 0 || proxyHops > 0 || headers[header.toLowerCase()] === undefined) return;
    this.warned = true;
    this.logger.warn({
      msg:
        `Requests from ${peer.toString()} carry ${header}, and no proxy is trusted: all clients behind it are one to limits by address. ` +
        'If it is your proxy, name it in rateLimit.client.trustedProxies (RATE_LIMIT_CLIENT_TRUSTED_PROXIES).',
      peer: peer.toString(),
    });
  }

  private peerOf({ socket }: Request): Address | undefined {
    const known = this.peers.get(socket);
    if (known) return known;
    const found = parseAddress(socket.remoteAddress);
    if (found) this.peers.set(socket, found);
    return found;
  }

  /** @param hop how many proxies lie between it and this process */
  private trusts(address: Address | undefined, hop: number, request: Request): boolean {
    const { trustedProxies, proxyHops } = this.config;
    if (trustedProxies !== this.seen) {
      this.seen = trustedProxies;
      this.networks = new Networks(trustedProxies);
    }
    if (address) return hop < proxyHops || this.networks.includes(address);
    return isUnixSocket(request) && (proxyHops > 0 || trustedProxies.includes('unix'));
  }
}

/** A socket that is closed has no address either; only its server knows the difference. */
function isUnixSocket({ socket }: Request): boolean {
  const { server } = socket as { server?: { address?(): unknown } };
  return typeof server?.address?.() === 'string';
}
