import { MemoryStorage } from '@openfeature/flagd-core';
import { type FlagProblem, InvalidFlagsError } from '../errors.js';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';
import { definitionProblems, isObject, operationProblems, unsafeParts } from './definition-problems.js';
import { escaped, openJson, type OpenText, type TextPlaces } from './places.js';
import { prerequisiteProblems } from './prerequisites.js';
import { referenceProblems, resolved } from './references.js';

export interface ValidateOptions {
  /** For the error: `file flags.json`, `Redis`, `the configuration`. */
  readonly source: string;
  /** Flags that are in force where the document has none of that name; it may require them. */
  readonly under?: Readonly<Record<string, FlagDefinition>>;
}

/** More of them help nobody. */
const MAX_PROBLEMS = 20;

/** A process stands still while it reads flags: some seconds at this length, about ten thousand flags. */
const MAX_CHARACTERS = 4 * 1024 * 1024;

/**
 * Reads a set of flags, and takes it whole or not at all.
 * @param open how the text is read. @default as JSON
 * @throws InvalidFlagsError with the place of each problem, as a JSON pointer with line and column
 */
export function parseFlagDocument(text: string, options: ValidateOptions, open: OpenText = openJson): FlagDocument {
  if (text.length > MAX_CHARACTERS) {
    const message = `it has ${text.length} characters, and at most ${MAX_CHARACTERS} are taken`;
    throw new InvalidFlagsError(options.source, [{ pointer: '', message }]);
  }
  const places = opened(text, options.source, open);
  const document = places.value();
  const found = [...places.repeatedKeys(), ...problemsOf(document, options)];
  const problems = found.slice(0, MAX_PROBLEMS).map(problem => ({ ...places.placeOf(problem.pointer), ...problem }));
  if (problems.length > 0) throw new InvalidFlagsError(options.source, problems);
  return document as FlagDocument;
}

/** Readers go as deep as a text does, and have only so much room for it. */
function opened(text: string, source: string, open: OpenText): TextPlaces {
  try {
    const places = open(text);
    const problem = places.syntaxProblem();
    if (problem) throw new InvalidFlagsError(source, [problem]);
    return places;
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new InvalidFlagsError(source, [{ pointer: '', message: 'it is nested far too deep' }], { cause });
  }
}

/**
 * The same of a document that is not a text.
 * @throws InvalidFlagsError with the place of each problem, as a JSON pointer
 */
export function checkFlagDocument(document: unknown, options: ValidateOptions): asserts document is FlagDocument {
  const problems = problemsOf(document, options).slice(0, MAX_PROBLEMS);
  if (problems.length > 0) throw new InvalidFlagsError(options.source, problems);
}

/** Everything that is wrong with a set of flags. */
export function problemsOf(document: unknown, { under = {} }: Partial<ValidateOptions> = {}): FlagProblem[] {
  const unsafe = [...unsafeParts(document)];
  if (unsafe.length > 0) return unsafe;
  if (!isObject(document) || !isObject(document['flags']))
    return [{ pointer: '', message: 'must be an object with "flags", an object of definitions by name' }];
  const { flags, $evaluators, ...rest } = document;
  const shared = isObject($evaluators) ? $evaluators : {};
  const own = [
    ...Object.entries(flags).flatMap(([key, definition]) => [
      ...definitionProblems(key, definition),
      ...(isObject(definition) ? operationProblems(`/flags/${escaped(key)}/targeting`, definition['targeting']) : []),
    ]),
    ...operationProblemsOf($evaluators),
    ...referenceProblems(flags, shared),
  ];
  if (own.length > 0) return own;
  const schema = schemaProblems({ ...rest, flags: resolved(flags as Record<string, FlagDefinition>, shared) });
  if (schema.length > 0) return schema;
  return [...prerequisiteProblems({ ...under, ...(flags as Record<string, FlagDefinition>) })];
}

function operationProblemsOf(evaluators: unknown): FlagProblem[] {
  if (!isObject(evaluators)) return [];
  return Object.entries(evaluators).flatMap(([name, rule]) => [
    ...operationProblems(`/$evaluators/${escaped(name)}`, rule),
  ]);
}

/** What flagd's own schema and the compiler of its rules have against it. */
function schemaProblems(document: object): FlagProblem[] {
  const warnings: string[] = [];
  const silent = () => undefined;
  const warn = (message: unknown) => void warnings.push(String(message));
  const storage = new MemoryStorage({ debug: silent, info: silent, warn, error: warn });
  try {
    storage.setConfigurations(JSON.stringify(document), true);
  } catch (error) {
    return [problemOfSchema(error as Error)];
  }
  return warnings.map(message => ({ pointer: '', message }));
}

/** Of the ways in which alternatives of the schema were missed, the one that got furthest. */
function problemOfSchema(error: Error): FlagProblem {
  const listed = /\[.*\]$/s.exec(error.message);
  if (!listed) return { pointer: '', message: (error.cause as Error | undefined)?.message ?? error.message };
  const errors = JSON.parse(listed[0]) as { instancePath: string; message: string }[];
  const depthOf = ({ instancePath }: { instancePath: string }) => instancePath.split('/').length;
  const deepest = errors.reduce((best, next) => (depthOf(next) > depthOf(best) ? next : best));
  return { pointer: deepest.instancePath, message: deepest.message };
}
