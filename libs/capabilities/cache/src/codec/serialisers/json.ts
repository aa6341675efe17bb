import { parse } from 'secure-json-parse';
import type { Serialiser } from './serialiser.js';

export const json: Serialiser = {
  carries: {},
  write: value => Buffer.from(JSON.stringify(value)),
  read: bytes => parse(bytes.toString(), { protoAction: 'error', constructorAction: 'error' }) as unknown,
};
