import { isAccessEntry } from '../client/access-lists.js';
import type { AccessConfig } from '../client/access.config.js';
import type { ClientConfig } from '../client/client.config.js';
import { parseNetworks } from '../client/networks.js';

/** What the fields' own rules do not see; for `static check` of the config class. */
export function* surfaceProblems({
  client,
  access,
}: {
  readonly client: ClientConfig;
  readonly access: AccessConfig;
}): Generator<{ path: string; expected: string }> {
  for (const entry of client.trustedProxies)
    if (entry !== 'unix' && !parseNetworks(entry))
      yield {
        path: 'client.trustedProxies',
        expected: `addresses, CIDR ranges, loopback, linklocal, private or unix, and "${entry}" is none`,
      };
  for (const list of ['allow', 'deny'] as const)
    for (const [index, entry] of access[list].entries())
      if (!isAccessEntry(entry))
        // An entry may be an API key that was to be a hash, so it is not repeated here.
        yield {
          path: `access.${list}`,
          expected: `addresses, CIDR ranges, user:<id>, key:<key> or api-key:<SHA-256 in hex>, and entry ${index + 1} is none`,
        };
}
