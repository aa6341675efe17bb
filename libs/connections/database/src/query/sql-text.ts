/** Statements that begin otherwise are `OTHER`: the set of words that become labels is closed. */
const operations = new Set(
  'SELECT INSERT UPDATE DELETE MERGE COPY CALL BEGIN COMMIT ROLLBACK SAVEPOINT RELEASE SET SHOW LISTEN NOTIFY CREATE ALTER DROP TRUNCATE VACUUM ANALYZE EXPLAIN REFRESH LOCK DO'.split(
    ' ',
  ),
);
const synonyms: Readonly<Record<string, string>> = { START: 'BEGIN', END: 'COMMIT', ABORT: 'ROLLBACK', WITH: 'SELECT' };

const leading = /^(?:\s+|--[^\n]*\n|\/\*[\s\S]*?\*\/)*([a-z]+)/i;

/** The kind of a statement, from a closed list. */
export function operationOf(sql: string): string {
  const word = leading.exec(sql)?.[1]?.toUpperCase() ?? '';
  return synonyms[word] ?? (operations.has(word) ? word : 'OTHER');
}

const identifier = '(?:"[^"]{1,63}"|[a-z_][\\w$]{0,62})';
const target = new RegExp(
  `\\b(?:from|into|update|table(?:\\s+if\\s+(?:not\\s+)?exists)?|join)\\s+(?:only\\s+)?(${identifier}(?:\\.${identifier})?)`,
  'i',
);

/** The first table that a statement names, unquoted, within its first 2,000 characters; `undefined` when none is plain to see. */
export function tableOf(sql: string): string | undefined {
  return target.exec(sql.length > 2_000 ? sql.slice(0, 2_000) : sql)?.[1]?.replaceAll('"', '');
}

const literal =
  /'(?:[^']|'')*'?|\$([a-z_]\w*)?\$[\s\S]*?(?:\$\1\$|$)|"[^"]*"|\$\d+|[a-z_][\w$]*|\d+(?:\.\d+)?(?:e[+-]?\d+)?/gi;
const longest = 2_000;

/** A statement as it may be logged: literals replaced by `?`, white space collapsed, at most 2,000 characters. */
export function maskedSql(sql: string): string {
  const cut = sql.length > longest * 2 ? sql.slice(0, longest * 2) : sql;
  const masked = cut
    .replace(literal, found => {
      if (found.startsWith("'") || /^\d/.test(found)) return '?';
      return found.startsWith('$') && !/^\$\d+$/.test(found) ? '?' : found;
    })
    .replace(/\s+/g, ' ')
    .trim();
  return masked.length > longest || cut.length < sql.length ? `${masked.slice(0, longest)}…` : masked;
}

/** Parameters as they may be logged: what they are, never what they hold. */
export function maskedParameters(values: readonly unknown[] | undefined): string[] {
  return (values ?? []).map(value => {
    if (value === null || value === undefined) return 'null';
    if (typeof value === 'string') return `string(${value.length})`;
    if (Buffer.isBuffer(value)) return `bytes(${value.length})`;
    if (Array.isArray(value)) return `array(${value.length})`;
    if (value instanceof Date) return 'date';
    return typeof value;
  });
}
