import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Where the snapshot of a store is kept when nobody says where: one file for each store and app, in a folder that is the user's own.
 * @param identity all that tells this store from others: app, server, key
 */
export function snapshotPlace(...identity: readonly string[]): string {
  const name = createHash('sha256').update(identity.join('\n')).digest('hex').slice(0, 16);
  return join(tmpdir(), `core-infra-${process.getuid?.() ?? 'user'}`, `flags-${name}.json`);
}
