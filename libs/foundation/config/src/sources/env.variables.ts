import { parse } from 'dotenv';
import { isForbiddenKey } from '@core-infra/kernel';
import { SourceProblem } from './problems.js';

/** A variable, and where it was set. */
export interface EnvVariable {
  readonly value: string;
  /** For messages: `env DATABASE_HOST`, `.env:3 DATABASE_HOST`. */
  readonly source: string;
  /** Of two names of one field, the one of the higher rank counts: `.env` files below the real environment. */
  readonly rank: number;
}

/** Every variable by name: those of `.env` files, with the real environment on top. */
export type EnvVariables = ReadonlyMap<string, EnvVariable>;

/** A `.env` file that was read. */
export interface DotenvFile {
  readonly label: string;
  readonly values: ReadonlyMap<string, { readonly value: string; readonly line: number }>;
}

/**
 * Reads the text of a `.env` file.
 * @throws SourceProblem with the line of a name that JavaScript reserves
 */
export function parseDotenv(text: string, label: string): DotenvFile {
  const lines = linesOf(text);
  for (const [name, line] of lines) {
    if (isForbiddenKey(name))
      throw new SourceProblem(`${label}:${line}`, 'a name that is not reserved by JavaScript', name);
  }
  const values = Object.entries(parse(text)).map(([name, value]) => {
    return [name, { value, line: lines.get(name) ?? 1 }] as const;
  });
  return { label, values: new Map(values) };
}

/** The line of each name's last assignment, from 1. */
function linesOf(text: string): Map<string, number> {
  const found = new Map<string, number>();
  for (const [index, line] of text.split(/\r\n?|\n/).entries()) {
    const name = /^\s*(?:export\s+)?([\w.-]+)\s*[=:]/.exec(line)?.[1];
    if (name) found.set(name, index + 1);
  }
  return found;
}

/** Puts the real environment on top of the `.env` files, which come lowest first. */
export function mergeEnvironment(files: readonly DotenvFile[], env: NodeJS.ProcessEnv): EnvVariables {
  const merged = new Map<string, EnvVariable>();
  for (const [rank, { label, values }] of files.entries()) {
    for (const [name, { value, line }] of values) merged.set(name, { value, rank, source: `${label}:${line} ${name}` });
  }
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined) merged.set(name, { value, rank: files.length, source: `env ${name}` });
  }
  return merged;
}
