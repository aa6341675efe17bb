import type { INestApplicationContext } from '@nestjs/common';
import type { ModulesContainer } from '@nestjs/core';

/** What a command of `core-infra` writes with: tables for people, JSON where `--json` was given. */
export interface CliOutput {
  /** One result: a table of these rows, or with `--json` the rows as they are. */
  rows(rows: readonly Record<string, unknown>[], options?: { empty?: string }): void;
  /** Raw text to stdout: a generated file, or a sentence. Not printed with `--json` unless `always`. */
  text(text: string, options?: { always?: boolean }): void;
  /** A result of any shape, printed only with `--json`. */
  json(value: unknown): void;
  /** A remark, to stderr. */
  note(text: string): void;
}

/** The app that the command was pointed at by `--app`. */
export interface CliApp {
  /**
   * The module graph without any provider instantiated: nothing is connected to.
   * @throws when no app was named or its file does not export a module class
   */
  inspect(): Promise<ModulesContainer>;
  /** The booted application context, without listening; closed after the command. */
  boot(): Promise<INestApplicationContext>;
}

export interface CliContext {
  readonly app: CliApp;
  readonly output: CliOutput;
  /** Positional arguments by name; a variadic one is a list. */
  readonly args: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Options by camel-cased name. */
  readonly options: Readonly<Record<string, string | boolean | readonly string[] | undefined>>;
  /** Aborts on Ctrl-C. */
  readonly signal: AbortSignal;
}

/** A command that a package brings. It is exported in the list `commands` of the package's `./cli` entry. */
export interface CliCommand {
  /** Words and arguments: `migrate up [name]`. */
  readonly usage: string;
  readonly summary: string;
  /** Flags in commander's notation, each with its description: `['--limit <count>', 'at most so many']`. */
  readonly options?: readonly (readonly [flags: string, description: string])[];
  /** Whole command lines, for `--help`. */
  readonly examples?: readonly string[];
  /** Resolves to the exit code; nothing means 0. An error that it throws is printed, and exits with 1. */
  run(context: CliContext): Promise<number | void>;
}
