import type { CliOutput } from '@core-infra/kernel';
import { table } from './table.js';

/** Where a command's words go: stdout for its result, stderr for everything else. */
export interface Streams {
  out(text: string): void;
  err(text: string): void;
}

/** Tables for people. */
export function humanOutput({ out, err }: Streams): CliOutput {
  return {
    rows: (rows, options) => out(`${rows.length === 0 ? (options?.empty ?? 'Nothing found.') : table(rows)}\n`),
    text: text => out(withNewline(text)),
    json: () => undefined,
    note: text => err(withNewline(text)),
  };
}

/** One JSON document per result. */
export function jsonOutput({ out, err }: Streams): CliOutput {
  const print = (value: unknown) => out(`${JSON.stringify(value, replacer, 2)}\n`);
  return {
    rows: print,
    text: (text, options) => options?.always && out(withNewline(text)),
    json: print,
    note: text => err(withNewline(text)),
  };
}

function replacer(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? String(value) : value;
}

function withNewline(text: string): string {
  return text.endsWith('\n') ? text : `${text}\n`;
}
