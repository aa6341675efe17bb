import { createRequire } from 'node:module';

interface Header {
  readonly key: string;
  readonly value: Buffer | null;
}

type Headers = Record<string, Header['value'] | Header['value'][]>;

interface Decoder {
  /** Reads the headers of a record, and nothing else. */
  readVarIntArray(reader: (decoder: Decoder) => Header): Header[];
}

const corrected = Symbol.for('core-infra.kafka.headers');

/**
 * kafkajs copies the headers of a record anew for each of them, so that one record with 10,000 headers stops the process for half a minute; and it takes
 * `constructor`, `toString` and `__proto__` for names that came twice, with the function as the first value. Corrected where kafkajs reads them,
 * once: a record's headers are put together in one go. It reads those of transactions and of whoever reads without a group.
 */
export function correctHeaders(): void {
  const { prototype } = createRequire(__filename)('kafkajs/src/protocol/decoder') as {
    prototype: Decoder & { [corrected]?: true };
  };
  const read = prototype.readVarIntArray as Decoder['readVarIntArray'] | undefined;
  if (prototype[corrected] || !read) return;
  prototype[corrected] = true;
  prototype.readVarIntArray = function (this: Decoder, reader) {
    // What kafkajs reduces, with a copy for each.
    const list = read.call(this, reader);
    return Object.assign(list, { reduce: () => together(list) });
  };
}

/** Several values of a name are a list, as kafkajs has it. */
function together(list: readonly Header[]): Headers {
  const headers: Headers = {};
  for (const { key, value } of list) {
    if (!Object.hasOwn(headers, key)) put(headers, key, value);
    else {
      const found = headers[key]!;
      if (Array.isArray(found)) found.push(value);
      else put(headers, key, [found, value]);
    }
  }
  return headers;
}

function put(headers: Headers, key: string, value: Headers[string]): void {
  if (key === '__proto__')
    Object.defineProperty(headers, key, { value, enumerable: true, configurable: true, writable: true });
  else headers[key] = value;
}
