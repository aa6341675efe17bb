import { isIP, isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/** An address; one of IPv4 that came in IPv6 notation (`::ffff:192.0.2.1`) is one of IPv4. */
export type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** A range of addresses by its first bits. */
interface Network {
  readonly bytes: readonly number[];
  readonly bits: number;
}

const words: Readonly<Record<string, readonly string[]>> = {
  loopback: ['127.0.0.0/8', '::1'],
  linklocal: ['169.254.0.0/16', 'fe80::/10'],
  private: ['10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', 'fc00::/7'],
};

/** Reads an address as it is written on a socket or in a header; `undefined` for anything else. */
export function parseAddress(text: string | undefined): Address | undefined {
  if (text === undefined) return undefined;
  if (isIPv4(text)) return new ipaddr.IPv4(text.split('.').map(Number)); // what ipaddr.js would do, ten times as fast
  const plain = text.replace(/%.*$/s, ''); // a link-local address carries its interface
  return isIP(plain) !== 0 ? ipaddr.process(plain) : undefined;
}

/** Reads `10.0.0.0/8`, `192.168.1.7`, `fd00::/8`, `loopback`, `linklocal` or `private`; `undefined` for anything else. */
export function parseNetworks(text: string): readonly Network[] | undefined {
  const listed = words[text.trim().toLowerCase()];
  if (listed) return listed.flatMap(range => parseNetworks(range)!);
  const [, address = '', length] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const version = isIP(address);
  if (version === 0) return undefined;
  const bits = length === undefined ? (version === 4 ? 32 : 128) : Number(length);
  if (bits > (version === 4 ? 32 : 128)) return undefined;
  const parsed = ipaddr.parse(address);
  const mapped = parsed.kind() === 'ipv6' && (parsed as ipaddr.IPv6).isIPv4MappedAddress() && bits >= 96;
  const plain = mapped ? (parsed as ipaddr.IPv6).toIPv4Address() : parsed;
  return [{ bytes: plain.toByteArray(), bits: mapped ? bits - 96 : bits }];
}

/** A set of networks. A look-up costs as many steps as there are different lengths of prefix in it, however many networks. */
export class Networks {
  private readonly byLength = new Map<string, { bits: number; family: number; prefixes: Set<string> }>();

  /** What is no network is left out. */
  constructor(entries: readonly string[]) {
    for (const { bytes, bits } of entries.flatMap(entry => parseNetworks(entry) ?? [])) {
      const length = `${bytes.length}/${bits}`;
      const known = this.byLength.get(length) ?? { bits, family: bytes.length, prefixes: new Set<string>() };
      known.prefixes.add(prefixOf(bytes, bits).join('.'));
      this.byLength.set(length, known);
    }
  }

  includes(address: Address): boolean {
    if (this.byLength.size === 0) return false;
    const bytes = address.toByteArray();
    for (const { bits, family, prefixes } of this.byLength.values())
      if (family === bytes.length && prefixes.has(prefixOf(bytes, bits).join('.'))) return true;
    return false;
  }
}

/**
 * Whom an address stands for: itself, and under IPv6 its network, since one customer has as many addresses there as he likes.
 * @param ipv6Bits length of that network's prefix
 */
export function networkOf(address: Address, ipv6Bits: number): string {
  if (address.kind() === 'ipv4') return address.toString();
  const kept = prefixOf(address.toByteArray(), ipv6Bits);
  const bytes = [...kept, ...Array.from({ length: 16 - kept.length }, () => 0)];
  return `${ipaddr.fromByteArray(bytes).toString()}/${ipv6Bits}`;
}

/** The bytes that a prefix of so many bits touches, what is behind it set to 0. */
function prefixOf(bytes: readonly number[], bits: number): number[] {
  const kept = bytes.slice(0, bits >> 3);
  const rest = bits & 7;
  if (rest > 0) kept.push(bytes[bits >> 3]! & (0xff << (8 - rest)));
  return kept;
}
