import { type CliCommand, envName, MASK, nearest, shapeOf, withoutCredentials } from '@core-infra/kernel';
import type { DeclaredReading } from '../configuration.js';
import { inspectConfiguration } from './inspect-configuration.js';

/** One effective value. */
export interface PrintedValue extends Record<string, unknown> {
  readonly key: string;
  readonly value: unknown;
  readonly source: string;
  readonly env: string;
}

export const configPrint: CliCommand = {
  usage: 'config print [section]',
  summary: 'Every effective value with its source; secrets are masked',
  examples: [
    'core-infra --app dist/app.module.js config print',
    'core-infra --app dist/app.module.js config print database --json',
  ],
  async run({ app, args, output }) {
    const { readings, problems, remarks } = await inspectConfiguration(await app.inspect());
    const { section } = args;
    const wanted = readings.filter(reading => section === undefined || reading.section === section);
    output.rows(distinct(wanted.flatMap(valuesOf)), {
      empty: `No module of the app reads the section ${String(section)}.`,
    });
    for (const remark of remarks) output.note(remark);
    if (wanted.length === 0 && section !== undefined) {
      const close = nearest(String(section), new Set(readings.map(reading => reading.section)));
      if (close) output.note(`Did you mean ${close}?`);
      return 2;
    }
    if (problems.length === 0) return 0;
    const count = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
    output.note(`The configuration has ${count}; see core-infra config check.`);
    return 2;
  },
};

function valuesOf({ section, Config, reading }: DeclaredReading): PrintedValue[] {
  return shapeOf(Config).fields.map(({ path, secret }) => {
    const value = path
      .split('.')
      .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], reading.config);
    const hidden =
      (secret && value !== undefined && value !== '') || reading.masked.has(path) || reading.pending.has(path);
    return {
      key: `${section}.${path}`,
      value: hidden ? MASK : typeof value === 'string' ? withoutCredentials(value) : value,
      source: reading.pending.get(path) ?? reading.sources.get(path) ?? 'default',
      env: envName(section, path),
    };
  });
}

/** A section that is declared twice, as a connection that two modules register, is printed once. */
function distinct(rows: readonly PrintedValue[]): PrintedValue[] {
  return [...new Map(rows.map(row => [row.key, row])).values()].sort((a, b) => (a.key < b.key ? -1 : 1));
}
