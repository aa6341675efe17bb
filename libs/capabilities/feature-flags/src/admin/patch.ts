import type { FlagDefinition } from '../flag-document.js';
import { FlagEditError } from './errors.js';
import { type Edit, setDefault, setRollout, setState } from './edits.js';

const makers: Readonly<Record<string, (value: unknown) => Edit>> = {
  state: value => {
    if (value === 'ENABLED' || value === 'DISABLED') return setState(value);
    throw new FlagEditError('"state" is ENABLED or DISABLED.');
  },
  defaultVariant: value => {
    if (typeof value === 'string') return setDefault(value);
    throw new FlagEditError('"defaultVariant" is the name of a variant.');
  },
  rollout: value => {
    if (typeof value === 'number') return setRollout(value);
    throw new FlagEditError('"rollout" is a percentage from 0 to 100.');
  },
};

/** The edit that the body of a PATCH asks for. @throws FlagEditError */
export function editOf(body: unknown): Edit {
  const wanted = objectOf(body);
  const unknown = Object.keys(wanted).filter(key => !Object.hasOwn(makers, key));
  if (unknown.length > 0 || Object.keys(wanted).length === 0)
    throw new FlagEditError(
      unknown.length > 0
        ? `There is no ${unknown.map(key => JSON.stringify(key)).join(', ')} to change.`
        : 'Nothing was asked for.',
      `Send one of ${Object.keys(makers).join(', ')}, or several; PUT takes a whole definition.`,
    );
  const edits = Object.entries(makers).flatMap(([key, make]) =>
    Object.hasOwn(wanted, key) ? [make(wanted[key])] : [],
  );
  return (now, flag, known) =>
    edits.reduce<FlagDefinition | null>((at, edit) => edit(at ?? undefined, flag, known), now ?? null);
}

/** The definition that the body of a PUT holds; what is in it is checked with the document as a whole. @throws FlagEditError */
export function definitionOf(body: unknown): FlagDefinition {
  return objectOf(body) as unknown as FlagDefinition;
}

function objectOf(body: unknown): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body)) return body as Record<string, unknown>;
  throw new FlagEditError('The body is no JSON object.');
}

/** What `If-Match` asks for: nothing when it is left out or `*`. @throws FlagEditError for what was never an ETag of ours */
export function versionOf(ifMatch: string | undefined): number | undefined {
  if (ifMatch === undefined || ifMatch.trim() === '*') return undefined;
  const version = /^\s*(?:W\/)?"(\d{1,15})"\s*$/.exec(ifMatch)?.[1];
  if (version === undefined)
    throw new FlagEditError('If-Match is no ETag of the flags.', 'Send the ETag of an answer, such as "7".');
  return Number(version);
}

/** @throws FlagEditError */
export function limitOf(limit: string | undefined): number {
  const number = limit === undefined ? 50 : Number(limit);
  if (Number.isInteger(number) && number >= 1 && number <= 1_000) return number;
  throw new FlagEditError('"limit" is a number from 1 to 1000.');
}
