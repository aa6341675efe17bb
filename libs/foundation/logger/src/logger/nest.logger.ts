import { Injectable, type LoggerService } from '@nestjs/common';
import type { LogLevel } from '../levels.js';
import type { LogFields } from './app.logger.js';
import { LogRoot } from './log.root.js';

/** Nest's word for its own lines. */
const unnamed = 'app';

/**
 * Nest's `LoggerService`: `app.useLogger(app.get(NestLogger))` sends what is written with Nest's `Logger` here, with its context as the logger's name.
 * `this.logger.log('text', { orderId })` writes fields, as does `this.logger.log({ msg: 'text', orderId })`; an Error anywhere among the
 * arguments is written with its stack.
 */
@Injectable()
export class NestLogger implements LoggerService {
  constructor(private readonly root: LogRoot) {}

  log(message: unknown, ...params: unknown[]): void {
    this.write('info', message, params);
  }

  error(message: unknown, ...params: unknown[]): void {
    this.write('error', message, params);
  }

  warn(message: unknown, ...params: unknown[]): void {
    this.write('warn', message, params);
  }

  debug(message: unknown, ...params: unknown[]): void {
    this.write('debug', message, params);
  }

  verbose(message: unknown, ...params: unknown[]): void {
    this.write('trace', message, params);
  }

  fatal(message: unknown, ...params: unknown[]): void {
    this.write('fatal', message, params);
  }

  /** Resolves when what was logged so far is with the system. The last thing to do before a process ends. */
  flush(): Promise<void> {
    return this.root.flush();
  }

  flushSync(): void {
    this.root.flushSync();
  }

  private write(level: LogLevel, message: unknown, params: unknown[]): void {
    // Nest's Logger appends its context, the last text.
    const name = typeof params.at(-1) === 'string' ? (params.at(-1) as string) : unnamed;
    const logger = this.root.named(name);
    if (!logger.isEnabled(level)) return;
    const rest = typeof params.at(-1) === 'string' ? params.slice(0, -1) : params;
    const line = readArguments(message, rest);
    logger.log(level, line.text, line.fields);
  }
}

/** Message, stack, fields and errors, in whichever of the forms that Nest's Logger accepts. */
function readArguments(message: unknown, params: readonly unknown[]): { text: string; fields: LogFields | undefined } {
  let fields: Record<string, unknown> | undefined;
  const texts: string[] = [];
  const take = (value: unknown): void => {
    if (value === undefined) return;
    if (value instanceof Error) {
      if (texts.length === 0) texts.push(value.message);
      fields = { ...fields, err: value };
    } else if (typeof value === 'string' && texts.length > 0 && /\n\s+at /.test(value)) {
      fields = { ...fields, err: stackRecord(value) };
    } else if (Array.isArray(value)) fields = { ...fields, items: value as unknown[] };
    else if (typeof value === 'object' && value !== null) {
      fields = { ...fields, ...(value as object) };
    } else texts.push(typeof value === 'function' ? `[${value.name || 'function'}]` : String(value));
  };
  for (const value of [message, ...params]) take(value);
  if (texts.length === 0) ({ fields, text: texts[0] = '' } = withoutText(fields));
  return { text: texts.join(' '), fields };
}

/** The text of an object that was logged by itself: `msg` as in pino, or else `message`. */
function withoutText(fields: Record<string, unknown> = {}): { text?: string; fields: LogFields } {
  const name = ['msg', 'message'].find(name => typeof fields[name] === 'string');
  if (name === undefined) return { fields };
  const { [name]: text, ...others } = fields;
  return { text: text as string, fields: others };
}

/** What is known of an error of which only the stack was handed over. */
function stackRecord(stack: string): LogFields {
  const [first = ''] = stack.split('\n');
  const match = /^(\w*(?:Error|Exception)\w*)(?:: (.*))?$/.exec(first);
  return { type: match?.[1] ?? 'Error', message: match ? (match[2] ?? '') : first, stack };
}
