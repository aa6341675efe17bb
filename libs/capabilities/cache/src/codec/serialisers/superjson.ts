import type { SuperJSON } from 'superjson';
import { parseJson } from './json.js';
import { plain, type Serialiser } from './serialiser.js';

/** The package is an ES module, and one that not every app has. */
export async function loadSuperjson(): Promise<Serialiser> {
  const { SuperJSON: Own } = await import('superjson');
  // Not the default instance: what the app registers there would be in the hands of whoever writes to the store.
  const own: SuperJSON = new Own();
  return {
    carries: { bigint: true, mapAndSet: true, nonFinite: true, undefinedInArrays: true, regExpAndUrlAndError: true },
    write: value => Buffer.from(own.stringify(plain(value))),
    read: bytes => own.deserialize(parseJson(bytes.toString()) as never, { inPlace: true }),
  };
}
