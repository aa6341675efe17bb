import { types } from 'node:util';
import { hintsAtToken, maskEmails, maskSecrets } from './mask-text.js';
import { type PathNode, type RedactionRules, stepInto } from './redaction.rules.js';

/** How deep a value is followed. */
const maxDepth = 8;
/** How many keys or items of one object are written. */
const maxWidth = 200;
/** How many values one line may have. */
const maxValues = 2_000;
/** How long a line's fields may become, in characters: about so many. */
const maxLine = 1_024 ** 2;
/** The longest name of a field, in characters; longer ones are data, and cut off. */
const maxName = 128;
/** Names are remembered up to this number; where names are data, the rest is looked at anew each time. */
const maxKnownKeys = 5_000;

/** What is known of a field's name: how it is written, and whether its value is. */
interface Key {
  /** With comma and colon: `,"name":`. */
  readonly json: string;
  readonly secret: boolean;
  /** For a name that the line itself may have: how it is written then. */
  readonly instead: string | undefined;
}

/** Names of which a line has its own only at times, such as when it serves a user; only then is a field of that name written with `_`. */
const contextual = new Set(['trace_id', 'user_id', 'tenant_id', 'channel']);

/** Names of a line's own fields; a field of the same name is written with `_` at its end, so that a line has one level and one time. */
const reserved = new Set(['level', 'time', 'msg', 'logger', 'app', 'instance', 'request_id', 'correlation_id']);

/** Writes values as JSON and leaves secrets out, in one pass. Never throws. */
export class JsonEncoder {
  private readonly keys = new Map<string, Key>();
  private readonly topKeys = new Map<string, Key>();
  private readonly censored: string;
  private readonly stack: object[] = [];
  private values = 0;
  private room = maxLine;
  /** What the line has before its fields. */
  private head = '';

  constructor(
    private readonly rules: RedactionRules,
    private readonly maxText = 16_384,
  ) {
    this.censored = JSON.stringify(rules.censor);
  }

  /** The fields of a line that begins with `head`: `,"a":1,"b":"x"`; nothing for none. */
  fields(fields: object, head = ''): string {
    this.head = head;
    this.begin();
    try {
      return this.members(fields, this.rules.paths, false, true);
    } catch {
      // A getter, a Proxy or a toJSON threw. Once more, each property by itself.
    }
    this.begin();
    try {
      return this.members(fields, this.rules.paths, true, true);
    } catch (error) {
      return `,"unloggable":${this.text(reason(error))}`;
    }
  }

  private begin(): void {
    this.values = 0;
    this.room = maxLine;
    this.stack.length = 0;
  }

  /** A text in quotes, escaped; passwords in connection strings are masked. */
  text(text: string): string {
    const { length } = text;
    if (length > 100) return this.longText(text);
    for (let index = 0; index < length; index += 1) {
      const code = text.charCodeAt(index);
      // Quotes, backslashes, control characters and surrogates are JSON.stringify's; `'`, `=`, `:` before `/`, and `@` may be of a secret.
      if (
        code < 32 ||
        code === 34 ||
        code === 39 ||
        code === 92 ||
        code === 61 ||
        code === 64 ||
        code >= 0x7f ||
        (code === 47 && text.charCodeAt(index - 1) === 58) ||
        ((code === 32 || code === 74) && hintsAtToken(text, index, code))
      )
        return this.longText(text);
    }
    return `"${text}"`;
  }

  private longText(text: string): string {
    let found =
      text.length > this.maxText
        ? `${text.slice(0, this.maxText)}… (${text.length - this.maxText} more characters)`
        : text;
    if (this.rules.masksText) found = maskSecrets(found);
    if (this.rules.personal) found = maskEmails(found, this.rules.censor);
    return JSON.stringify(found);
  }

  private members(object: object, path: PathNode | undefined, careful: boolean, top: boolean): string {
    let text = '';
    let width = 0;
    for (const name of Object.keys(object)) {
      if ((width += 1) > maxWidth) return `${text},"…":"more than ${maxWidth} fields"`;
      const key = top ? this.topKey(name) : this.key(name);
      const label = top && key.instead !== undefined && this.head.includes(key.json) ? key.instead : key.json;
      const at = path && stepInto(path, name);
      if (key.secret || at?.ends) {
        const value = careful ? peek(object, name) : (object as Record<string, unknown>)[name];
        if (value !== undefined)
          text += label + (typeof value === 'boolean' || value === null ? String(value) : this.censored);
        continue;
      }
      const value = careful
        ? this.careful(object, name, at)
        : this.value((object as Record<string, unknown>)[name], at, false);
      if (value !== undefined) text += label + value;
    }
    return text;
  }

  private careful(object: object, name: string, path: PathNode | undefined): string | undefined {
    const depth = this.stack.length;
    try {
      return this.value((object as Record<string, unknown>)[name], path, true);
    } catch (error) {
      this.stack.length = depth;
      return this.text(`[unreadable: ${reason(error)}]`);
    }
  }

  /** Undefined for what JSON leaves out. */
  private value(value: unknown, path: PathNode | undefined, careful: boolean): string | undefined {
    if ((this.room -= 8) < 0) return '"[too much]"';
    switch (typeof value) {
      case 'string':
        this.room -= Math.min(value.length, this.maxText);
        return this.text(value);
      case 'number':
        return Number.isFinite(value) ? String(value) : 'null';
      case 'boolean':
        return value ? 'true' : 'false';
      case 'bigint':
        return `"${value}"`;
      case 'object':
        return value === null ? 'null' : this.object(value, path, careful);
      default:
        return undefined;
    }
  }

  private object(value: object, path: PathNode | undefined, careful: boolean): string {
    const { stack } = this;
    if ((this.values += 1) > maxValues) return '"[too much]"';
    if (stack.includes(value)) return '"[circular]"';
    if (stack.length >= maxDepth) return Array.isArray(value) ? '"[array]"' : '"[object]"';
    stack.push(value);
    const text = this.structure(value, path, careful);
    stack.pop();
    return text;
  }

  private structure(value: object, path: PathNode | undefined, careful: boolean): string {
    if (Array.isArray(value)) return this.items(value, path, careful);
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype !== Object.prototype && prototype !== null) {
      const special = this.special(value, path, careful);
      if (special !== undefined) return special;
    }
    const { toJSON } = value as { toJSON?: unknown };
    if (typeof toJSON === 'function') return this.value(toJSON.call(value), path, careful) ?? 'null';
    return this.braces(this.members(value, path, careful, false));
  }

  /** What is not written by its fields. */
  private special(value: object, path: PathNode | undefined, careful: boolean): string | undefined {
    if (value instanceof Error || types.isNativeError(value)) return this.error(value, path, careful);
    if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'null' : `"${value.toISOString()}"`;
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `"[${value.byteLength} bytes]"`;
    if (value instanceof Map)
      return this.braces(this.members(Object.fromEntries(firstOf(value)), path, careful, false));
    if (value instanceof Set) return this.items([...firstOf(value)], path, careful);
    return undefined;
  }

  private braces(members: string): string {
    return members === '' ? '{}' : `{${members.slice(1)}}`;
  }

  private items(items: readonly unknown[], path: PathNode | undefined, careful: boolean): string {
    let text = '';
    for (let index = 0; index < items.length; index += 1) {
      if (index >= maxWidth) {
        text += `,"… ${items.length - maxWidth} more"`;
        break;
      }
      const at = path && stepInto(path, String(index));
      const value =
        at?.ends || (index === 1 && this.isSecretPair(items))
          ? this.censored
          : careful
            ? this.careful(items, String(index), at)
            : this.value(items[index], at, false);
      text += `,${value ?? 'null'}`;
    }
    return `[${text.slice(1)}]`;
  }

  /** `['cookie', 'sid=…']`, an entry of headers or of a Map. */
  private isSecretPair(items: readonly unknown[]): boolean {
    const [name, value] = items;
    return items.length === 2 && typeof name === 'string' && typeof value === 'string' && name.length <= maxName
      ? (this.keys.get(name)?.secret ?? this.rules.isSecret(name))
      : false;
  }

  /** Type, message, stack, own fields, cause, and the errors of an AggregateError. */
  private error(error: Error, path: PathNode | undefined, careful: boolean): string {
    let text = `,"type":${this.text(String(error.name === 'Error' ? (error.constructor?.name ?? 'Error') : error.name))}`;
    text += `,"message":${this.value(String(error.message), undefined, false)}`;
    if (typeof error.stack === 'string') text += `,"stack":${this.value(error.stack, undefined, false)}`;
    const { cause } = error;
    if (cause !== undefined) text += `,"cause":${this.value(cause, undefined, careful) ?? 'null'}`;
    if (error instanceof AggregateError) text += `,"errors":${this.items(error.errors, undefined, careful)}`;
    for (const name of Object.keys(error)) {
      if (/^(name|type|message|stack|cause|errors)$/.test(name)) continue;
      const key = this.key(name);
      const value = key.secret ? this.censored : this.careful(error, name, path && stepInto(path, name));
      if (value !== undefined) text += key.json + value;
    }
    return `{${text.slice(1)}}`;
  }

  private key(name: string): Key {
    return this.keys.get(name) ?? this.learn(this.keys, name, name);
  }

  private topKey(name: string): Key {
    return this.topKeys.get(name) ?? this.learn(this.topKeys, name, reserved.has(name) ? `${name}_` : name);
  }

  private learn(known: Map<string, Key>, name: string, written: string): Key {
    const short = name.length <= maxName;
    const label = short ? written : `${name.slice(0, maxName)}…`;
    this.room -= label.length;
    const key: Key = {
      json: `,${JSON.stringify(label)}:`,
      secret: this.rules.isSecret(label),
      instead: contextual.has(name) ? `,"${name}_":` : undefined,
    };
    if (short && known.size < maxKnownKeys) known.set(name, key);
    return key;
  }
}

function* firstOf<T>(values: Iterable<T>): Iterable<T> {
  let count = 0;
  for (const value of values) {
    if ((count += 1) > maxWidth + 1) return;
    yield value;
  }
}

/** Whether there is a value; one that cannot be read is there. */
function peek(object: object, name: string): unknown {
  try {
    return (object as Record<string, unknown>)[name];
  } catch {
    return name; // only that it is not undefined matters: the value is not written
  }
}

function reason(error: unknown): string {
  try {
    return error instanceof Error ? error.message : String(error);
  } catch {
    return 'unknown';
  }
}
