import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { text as readAll } from 'node:stream/consumers';
import type { CliContext } from '@core-infra/kernel';
import { FlagEditError } from '../admin/errors.js';
import type { OpenText } from '../evaluation/places.js';
import { formatOf } from '../formats/flag-format.js';
import type { EditOptions } from '../admin/flag-editor.js';

export function argument({ args }: CliContext, name: string): string {
  const value = args[name];
  return typeof value === 'string' ? value : '';
}

export function option({ options }: CliContext, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}

/** Who, on top of what, and whether in earnest. */
export function editOptions(context: CliContext): EditOptions {
  const ifVersion = option(context, 'ifVersion');
  return {
    by: option(context, 'by') ?? currentUser(),
    ifVersion: ifVersion === undefined ? undefined : integer('--if-version', ifVersion, 0),
    dryRun: context.options['dryRun'] === true,
  };
}

/** @throws FlagEditError */
export function integer(what: string, value: string, min: number): number {
  const number = Number(value);
  if (value.trim() !== '' && Number.isSafeInteger(number) && number >= min) return number;
  throw new FlagEditError(`${what} is ${JSON.stringify(value)}.`, `Give an integer from ${min}.`);
}

/** `20`, `20%`, `0.5`. @throws FlagEditError */
export function percentage(value: string): number {
  const digits = /^\s*(\d{1,3}(?:\.\d{1,3})?)\s*%?\s*$/.exec(value)?.[1];
  if (digits !== undefined && Number(digits) <= 100) return Number(digits);
  throw new FlagEditError(
    `${JSON.stringify(value)} is no percentage.`,
    'Give a number from 0 to 100, with at most three decimals.',
  );
}

/** What an argument says: itself, the file of `@file`, or what comes in for `-`. @throws FlagEditError */
export async function contentOf(value: string): Promise<string> {
  try {
    if (value === '-') return await readAll(process.stdin);
    return value.startsWith('@') ? await readFile(value.slice(1), 'utf8') : value;
  } catch (cause) {
    throw new FlagEditError(
      `${value.replace(/^@/, '')} cannot be read (${(cause as NodeJS.ErrnoException).code}).`,
      '',
      { cause },
    );
  }
}

/** A document to be read, by the name of its file; `-` is what comes in, as JSON. @throws FlagEditError; MissingPackageError */
export async function documentFile(path: string): Promise<{ text: string; source: string; open: OpenText }> {
  const text = await contentOf(path === '-' ? path : `@${path}`);
  const { open } = await formatOf(path, 'flags import');
  return { text, source: path === '-' ? 'stdin' : `the file ${path}`, open };
}

/** @throws FlagEditError with the place of what is wrong */
export function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new FlagEditError(`The definition is no JSON: ${(cause as Error).message}.`, '', { cause });
  }
}

/** A container may run as a user who has no name. */
function currentUser(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
