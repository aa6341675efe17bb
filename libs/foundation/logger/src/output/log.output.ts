import { levelValues } from '../levels.js';
import { TextFormat } from '../line/text.format.js';
import type { BufferedWriter } from './buffered.writer.js';

/** A destination of lines. */
export interface Sink {
  readonly writer: BufferedWriter;
  readonly text?: TextFormat;
  /** The least level that it takes, as a number. */
  readonly least: number;
}

/** pino asks for the level of each line by this symbol. */
const metadata = Symbol.for('pino.metadata');

/** What pino writes to: hands each line to every sink that takes its level. */
export class LogOutput {
  readonly [metadata] = true;
  /** Set by pino before each write. */
  lastLevel: number = levelValues.info;

  constructor(private readonly sinks: readonly Sink[]) {}

  write(line: string): void {
    for (const { writer, text, least } of this.sinks)
      if (this.lastLevel >= least) writer.write(text ? text.format(line) : line);
  }

  /** Called by pino after a `fatal` line of a logger that is used directly. */
  flushSync(): void {
    for (const { writer } of this.sinks) writer.flushSync();
  }
}
