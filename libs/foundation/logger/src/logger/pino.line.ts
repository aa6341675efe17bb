import { pino } from 'pino';
import type { ContextFragment } from '../line/context.fragment.js';
import type { JsonEncoder } from '../line/json.encoder.js';
import { Timestamp } from '../line/timestamp.js';
import type { LogOutput } from '../output/log.output.js';
import { logLevels, levelValues } from '../levels.js';
import type { LineWriter } from './logger.site.js';

const { asJsonSym, chindingsSym, writeSym } = pino.symbols as Record<'asJsonSym' | 'chindingsSym' | 'writeSym', symbol>;

/** The parts of a pino logger which pino's own `symbols` open to integrators. */
type Internals = pino.Logger & {
  [writeSym: symbol]: (fields: object | undefined, message: string | undefined, level: number) => void;
};
type AsJson = (this: Record<symbol, string>, fields: object, message: unknown, level: number) => string;

const levelText: Record<number, string> = Object.fromEntries(
  logLevels.map(level => [levelValues[level], `{"level":"${level}","time":"`]),
);

/** Fields that are JSON already. */
class Encoded {
  constructor(readonly text: string) {}
}

/** What every line needs besides its own fields. */
export interface LineParts {
  readonly encoder: JsonEncoder;
  readonly context: ContextFragment;
  now(): number;
  /** On each line of the process. */
  readonly app: string;
  readonly instance: string;
}

/**
 * A pino logger whose lines are encoded here: pino's own encoder would take a second pass for redaction at any depth, and a child
 * logger for the ids of each request.
 */
export function makePino(output: LogOutput, parts: LineParts): pino.Logger {
  const { encoder, context } = parts;
  const timestamp = new Timestamp(() => parts.now());
  const root = pino({ level: 'trace', base: null, timestamp: false }, output) as unknown as Internals;
  const internals = root as unknown as Record<symbol, unknown>;
  const asJson: AsJson = function (fields, message, level) {
    const head = `${levelText[level] ?? `{"level":"${level}","time":"`}${timestamp.text()}"${this[chindingsSym] ?? ''}${context.current()}`;
    const text = message === undefined ? '' : `,"msg":${encoder.text(String(message))}`;
    return `${head}${text}${fields instanceof Encoded ? fields.text : encoder.fields(fields, head)}}\n`;
  };
  internals[asJsonSym] = asJson;
  internals[chindingsSym] = `,"app":${JSON.stringify(parts.app)},"instance":${JSON.stringify(parts.instance)}`;
  const makeChild = root.child as unknown as (fields: object, options?: pino.ChildLoggerOptions) => pino.Logger;
  // A child's fields are on every line of it: they are redacted like others, and encoded once.
  root.child = function (this: Record<symbol, string>, fields: object, options?: pino.ChildLoggerOptions) {
    const child = makeChild.call(this, {}, options) as unknown as Record<symbol, string>;
    child[chindingsSym] = (this[chindingsSym] ?? '') + encoder.fields(fields);
    return child;
  } as never;
  return root;
}

/** The lean way to a line: no variadic arguments, no format strings. */
export class PinoLine implements LineWriter {
  private readonly pino: Internals;

  constructor(logger: pino.Logger) {
    this.pino = logger as Internals;
  }

  write(fields: object | undefined, message: string, level: number): void {
    this.pino[writeSym]!(fields, message, level);
  }

  writeEncoded(fields: string, message: string, level: number): void {
    this.pino[writeSym]!(new Encoded(fields), message, level);
  }

  child(fields: object): PinoLine {
    return new PinoLine(this.pino.child(fields));
  }

  /** With a name, which is no field and so not reserved. */
  static named(root: pino.Logger, name: string, channel?: string): PinoLine {
    const child = root.child({}) as unknown as Record<symbol, string>;
    child[chindingsSym] +=
      `,"logger":${JSON.stringify(name)}${channel === undefined ? '' : `,"channel":${JSON.stringify(channel)}`}`;
    return new PinoLine(child as never);
  }
}
