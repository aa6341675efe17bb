const upper = (text: string) =>
  text
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replace(/[.\-\s]+/g, '_')
    .toUpperCase();

/**
 * A field's own environment variable: `database`, `pool.maxLifetimeMs` → `DATABASE_POOL_MAX_LIFETIME_MS`;
 * of a named connection (`database.connections.audit`): `DATABASE__AUDIT__POOL_MAX_LIFETIME_MS`.
 */
export function envName(section: string, path: string): string {
  const [concern, name] = section.split('.connections.');
  return name === undefined ? `${upper(section)}_${upper(path)}` : `${upper(concern!)}__${upper(name)}__${upper(path)}`;
}
