import { isDeepStrictEqual } from 'node:util';
import {
  type Candidate,
  coerce,
  CoercionFailure,
  type Compound,
  type ConfigProblem,
  type ConfigShape,
  envName,
  MASK,
  printable,
} from '@core-infra/kernel';
import type { References } from './references.js';

/** What reading one layer of the sources for one section gave: at most one candidate for each field. */
export interface LayerReading {
  readonly candidates: readonly Candidate[];
  readonly problems: readonly ConfigProblem[];
  /** Settings that are accepted and do nothing, each with its reason. */
  readonly notices: readonly string[];
}

/**
 * One candidate for each field out of all the spellings that a layer has for it.
 * Two spellings may say the same; where they do not, both are named.
 */
export function settle(
  section: string,
  { fields }: ConfigShape,
  occurrences: readonly Candidate[],
): { candidates: Candidate[]; problems: ConfigProblem[] } {
  const problems: ConfigProblem[] = [];
  const candidates = fields.flatMap(field => {
    const found = occurrences.filter(({ path }) => path === field.path);
    const [first] = found;
    if (!first) return [];
    const meant = (candidate: Candidate) => {
      const value = coerce(candidate.value, field, candidate.unit);
      return value instanceof CoercionFailure ? candidate.value : value;
    };
    const other = found.find(candidate => !isDeepStrictEqual(meant(candidate), meant(first)));
    if (other) {
      const masked = field.secret || first.masked || other.masked;
      problems.push({
        key: `${section}.${field.path}`,
        env: envName(section, field.path),
        source: `${first.source} and ${other.source}`,
        expected: 'the same value in both, or only one of them',
        got: masked ? `${MASK} and ${MASK}` : `${printable(first.value)} and ${printable(other.value)}`,
      });
    }
    return [first];
  });
  return { candidates, problems };
}

/** Takes a setting that carries several fields apart. */
export function takeApart(
  section: string,
  shape: ConfigShape,
  compound: Compound,
  written: { readonly value: unknown; readonly source: string },
  references: References,
): { occurrences: Candidate[]; problems: ConfigProblem[] } {
  const { value, source, masked } = references.follow(written.value, written.source);
  const key = `${section}.${compound.name}`;
  if (value === undefined) return { occurrences: [], problems: references.problemsOf(written.value, key, source) };
  const hidden = masked || shape.fields.some(field => field.secret);
  try {
    if (typeof value !== 'string') throw new TypeError('text');
    return {
      occurrences: Object.entries(compound.parse(value))
        .filter(([, part]) => part !== undefined)
        .map(([path, part]) => ({ path, value: part, source, masked })),
      problems: [],
    };
  } catch (error) {
    const got = hidden ? MASK : printable(value);
    return { occurrences: [], problems: [{ key, source, expected: (error as Error).message, got }] };
  }
}
