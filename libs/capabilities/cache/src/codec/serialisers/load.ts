import { importPackage } from '@core-infra/kernel';
import type { CodecConfig } from '../codec.config.js';
import { json } from './json.js';
import type { Serialiser } from './serialiser.js';

export type SerialiserName = CodecConfig['serialiser'];

/** Their place in the list is what a value's header says: new ones go to the end. */
export const serialiserNames: readonly SerialiserName[] = ['json', 'superjson', 'msgpack'];

/** @throws MissingPackageError */
export async function loadSerialiser(name: SerialiserName, neededBy: string): Promise<Serialiser> {
  if (name === 'json') return json;
  if (name === 'superjson')
    return importPackage(async () => (await import('./superjson.js')).loadSuperjson(), neededBy, ['superjson@^2.2']);
  return importPackage(async () => (await import('./msgpack.js')).loadMsgpack(), neededBy, ['@msgpack/msgpack@^3.1']);
}
