/** Fields that every error of this project has; the rest is its data. */
const common = new Set(['name', 'message', 'stack', 'cause', 'code', 'status', 'fault', 'retryable', 'retryAfterMs']);
const texts = new Set(['problem', 'fix']);

/** The data that an error keeps as fields, by the names of the wire (`resourceId` is `resource_id`); what JSON cannot carry is left out. */
export function errorDetails(error: object): Record<string, unknown> {
  const details: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(error)) {
    if (error instanceof Error && (common.has(key) || texts.has(key))) continue;
    const plain = toPlain(value);
    if (plain !== undefined) details[snakeCase(key)] = plain;
  }
  return details;
}

function toPlain(value: unknown): unknown {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'function' || typeof value === 'symbol' || value instanceof Error) return undefined;
  if (typeof value !== 'object' || value === null) return value;
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined; // a cycle, or a BigInt inside: the answer goes without this field rather than not at all
  }
}

function snakeCase(key: string): string {
  return key.replace(/([a-z0-9])([A-Z])/g, '$1_$2').toLowerCase();
}
