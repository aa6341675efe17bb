import type { AccessConfig } from './access.config.js';
import { type Address, Networks, parseNetworks } from './networks.js';

class AccessList {
  readonly networks: Networks;
  readonly keys: ReadonlySet<string>;

  constructor(readonly entries: readonly string[]) {
    this.networks = new Networks(entries);
    this.keys = new Set(entries.filter(isKey).map(entry => entry.trim()));
  }
}

/** Whether a text may stand in a list. */
export function isAccessEntry(entry: string): boolean {
  return isKey(entry) || parseNetworks(entry) !== undefined;
}

function isKey(entry: string): boolean {
  return /^\s*(user:.|key:.|api-key:[0-9a-f]{64}\s*$)/is.test(entry);
}

/** The lists of the configuration, as they are at the moment. */
export class AccessLists {
  private allow = new AccessList([]);
  private deny = new AccessList([]);

  constructor(private readonly config: AccessConfig) {}

  /** Whether all are treated alike, so that there is nothing to look up. */
  get areEmpty(): boolean {
    return this.config.allow.length === 0 && this.config.deny.length === 0;
  }

  ofAddress(address: Address | undefined): 'allow' | 'deny' | undefined {
    return address && this.find(list => list.networks.includes(address));
  }

  /** @param key `user:42`, as limits name their callers */
  ofKey(key: string): 'allow' | 'deny' | undefined {
    return this.find(list => list.keys.has(key));
  }

  private find(has: (list: AccessList) => boolean): 'allow' | 'deny' | undefined {
    const { allow, deny } = this.config;
    if (this.allow.entries !== allow) this.allow = new AccessList(allow);
    if (this.deny.entries !== deny) this.deny = new AccessList(deny);
    if (has(this.deny)) return 'deny';
    return has(this.allow) ? 'allow' : undefined;
  }
}
