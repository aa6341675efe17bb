import { type Address, parseAddress } from './networks.js';

/**
 * The addresses that proxies wrote into a header, the nearest first: each proxy appends the one that it was called from. `undefined`
 * stands for an entry that is no address. Read from the right and one at a time, so that nothing which a client sent can change
 * how the entries behind it are read.
 *
 * @param name lower case; `forwarded` is read as RFC 7239 says, any other as a list of addresses
 */
export function* hopsOf(name: string, value: string): Generator<Address | undefined> {
  for (const entry of entriesFromRight(value)) {
    const node = name === 'forwarded' ? forOf(entry) : entry;
    yield node === undefined ? undefined : parseAddress(withoutPort(node));
  }
}

function* entriesFromRight(value: string): Generator<string> {
  let end = value.length;
  let quoted = false;
  for (let at = value.length - 1; at >= 0; at -= 1) {
    if (value[at] === '"') quoted = !quoted;
    if (value[at] !== ',' || quoted) continue;
    yield value.slice(at + 1, end).trim();
    end = at;
  }
  yield value.slice(0, end).trim();
}

/** `for=192.0.2.60;proto=http` is `192.0.2.60`; `for="[2001:db8::17]:4711"` is `[2001:db8::17]:4711`. */
function forOf(element: string): string | undefined {
  const pairs = element.split(';').map(pair => /^\s*for\s*=\s*("?)([^"]*)\1\s*$/i.exec(pair)?.[2]);
  const found = pairs.filter(node => node !== undefined);
  return found.length === 1 ? found[0] : undefined;
}

function withoutPort(node: string): string {
  const [, bracketed] = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(node) ?? [];
  return bracketed ?? node.replace(/^([\d.]+):\d{1,5}$/, '$1');
}
