import { ValueTooLargeError } from './errors.js';
import { headerBytes } from './header.js';
import { serialiserNames } from './serialisers/load.js';
import { parseJson } from './serialisers/json.js';
import type { TextForm } from './value.codec.js';

const header = headerBytes({ serialiser: serialiserNames.indexOf('json'), compression: 0 });

/** @param stringify JSON of a value in which nothing is lost */
export function jsonText(stringify: (value: unknown) => string, maxValueBytes: number): TextForm {
  return {
    write: value => {
      const text = stringify(value);
      // No character takes more than three bytes.
      if (text.length * 3 > maxValueBytes && Buffer.byteLength(text) > maxValueBytes)
        throw new ValueTooLargeError(Buffer.byteLength(text), maxValueBytes);
      return text;
    },
    read: text => JSON.parse(text) as unknown,
    toBytes: text => {
      const bytes = Buffer.allocUnsafe(header.length + Buffer.byteLength(text));
      header.copy(bytes);
      bytes.write(text, header.length);
      return bytes;
    },
    fromBytes: (bytes, at) => {
      if (bytes[at] !== header[0] || bytes[at + 1] !== header[1]) return undefined;
      const text = bytes.toString('utf8', at + header.length);
      try {
        return { text, value: parseJson(text) };
      } catch {
        // Damaged, or a key that reaches into prototypes: `decode` says so.
        return undefined;
      }
    },
  };
}
