/** Control characters, those that turn the direction of text, and line separators: nothing in a value may move the cursor or begin a line. */
const unsafe = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const escape = (text: string) =>
  text.replace(unsafe, character => {
    if (character === '\n') return '\\n';
    if (character === '\r') return '\\r';
    return character === '\t' ? '\\t' : `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });

const colours: Record<string, string> = { trace: '90', debug: '36', info: '32', warn: '33', error: '31', fatal: '41' };

interface ErrorRecord {
  type?: string;
  message?: string;
  stack?: string;
  cause?: unknown;
}

/** Makes the text that people read out of a line's JSON. One line is one line; only stacks follow, each of their lines indented. */
export class TextFormat {
  constructor(private readonly colour: boolean) {}

  format(line: string): string {
    const {
      level,
      time,
      logger,
      msg,
      app: _app,
      instance: _instance,
      ...fields
    } = JSON.parse(line) as Record<string, unknown>;
    const { err, ...rest } = fields;
    let text = `${this.paint(String(time), '90')} ${this.paint(String(level).toUpperCase().padEnd(5), colours[String(level)] ?? '0')}`;
    if (logger !== undefined) text += ` ${this.paint(`[${escape(String(logger))}]`, '33')}`;
    text += ` ${escape(String(msg ?? ''))}`;
    for (const [name, value] of Object.entries(rest)) text += ` ${this.paint(`${escape(name)}=`, '90')}${print(value)}`;
    return `${text}\n${this.error(err)}`;
  }

  private error(error: unknown): string {
    let text = '';
    for (let at = error, depth = 0; at !== undefined && at !== null && depth < 8; depth += 1) {
      const { stack, type, message, cause, ...rest } = (
        typeof at === 'object' ? at : { message: String(at) }
      ) as ErrorRecord;
      const lines = (stack ?? `${type ?? 'Error'}: ${message ?? ''}`).split('\n');
      if (depth > 0) lines[0] = `caused by ${lines[0]}`;
      if (Object.keys(rest).length > 0) lines.push(JSON.stringify(rest));
      for (const part of lines) text += `    ${escape(part.trim())}\n`;
      at = cause;
    }
    return text;
  }

  private paint(text: string, code: string): string {
    return this.colour ? `\u001b[${code}m${text}\u001b[0m` : text;
  }
}

function print(value: unknown): string {
  if (typeof value !== 'string') return escape(JSON.stringify(value));
  // In quotes where it could be mistaken for another field.
  return /^[^\s="']+$/.test(value) ? escape(value) : escape(JSON.stringify(value));
}
