import { BlockList, isIP } from 'node:net';

interface Network {
  readonly address: string;
  readonly prefix: number;
  readonly family: 'ipv4' | 'ipv6';
}

/** Reads `10.0.0.0/8`, `192.168.1.7` or `fd00::/8`; `undefined` when the text is neither an address nor a range. */
export function parseNetwork(text: string): Network | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text.trim()) ?? [];
  const version = isIP(address);
  if (version === 0 || address.includes('%')) return undefined;
  const longest = version === 4 ? 32 : 128;
  const prefix = length === undefined ? longest : Number(length);
  return prefix > longest ? undefined : { address, prefix, family: version === 4 ? 'ipv4' : 'ipv6' };
}

/** A set of networks; `undefined` when it would be empty. */
export function networkList(networks: readonly string[]): BlockList | undefined {
  const parsed = networks.map(parseNetwork).filter(network => network !== undefined);
  if (parsed.length === 0) return undefined;
  const list = new BlockList();
  for (const { address, prefix, family } of parsed) list.addSubnet(address, prefix, family);
  return list;
}

/** Whether a socket's address is in the set; an IPv4 address in IPv6 notation counts as what it is. */
export function inNetworks(list: BlockList, address: string): boolean {
  const plain = address.replace(/%.*$/, ''); // a link-local address carries its interface
  const version = isIP(plain);
  return version !== 0 && list.check(plain, version === 4 ? 'ipv4' : 'ipv6');
}
