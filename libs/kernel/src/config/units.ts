/** Units of a bare number. A field's own unit is in its name: `…Ms` is milliseconds, `…Bytes` is bytes. */
export type Unit = 'ms' | 's' | 'm' | 'h' | 'd' | 'bytes' | 'KB' | 'MB' | 'GB';

const durations: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
/** A kilobyte is 1,024 bytes, spelled `KB` or `KiB`, as log rotation and Redis count it. */
const sizes: Record<string, number> = {
  b: 1,
  bytes: 1,
  kb: 1_024,
  kib: 1_024,
  mb: 1_024 ** 2,
  mib: 1_024 ** 2,
  gb: 1_024 ** 3,
  gib: 1_024 ** 3,
};

export type Dimension = 'duration' | 'size';

/** What a field measures, from its name. */
export function dimensionOf(field: string): Dimension | undefined {
  if (/(^m|M)s$/.test(field)) return 'duration';
  return /(^b|B)ytes$/.test(field) ? 'size' : undefined;
}

/** Milliseconds or bytes in one of `unit`. */
export function factorOf(unit: Unit): number {
  return durations[unit] ?? sizes[unit.toLowerCase()] ?? 1;
}

/**
 * Reads `250`, `"250"`, `"5m"`, `"1h 30m"`, `"10MB"` as milliseconds or bytes; a bare number is in `unit`.
 * @returns undefined when the text is no such quantity
 */
export function parseQuantity(value: string | number, dimension: Dimension, unit: Unit): number | undefined {
  const text = String(value).trim();
  if (/^-?\d+(\.\d+)?$/.test(text)) return finite(Number(text) * factorOf(unit));
  const table = dimension === 'duration' ? durations : sizes;
  let total = 0;
  const rest = text.replace(/(\d+(?:\.\d+)?)\s*([a-z]+)\s*/gi, (match, amount: string, suffix: string) => {
    const factor = table[suffix.toLowerCase()];
    if (factor === undefined) return match;
    total += Number(amount) * factor;
    return '';
  });
  return text !== '' && rest === '' ? finite(total) : undefined;
}

function finite(amount: number): number | undefined {
  return Number.isFinite(amount) ? Math.round(amount) : undefined;
}
