import { MemoryStorage } from '@openfeature/flagd-core';
import { type FlagProblem, InvalidFlagsError } from '../errors.js';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';
import { definitionProblems, isObject, operationProblems, unsafeParts } from './definition-problems.js';
import { escaped, JsonPlaces } from './places.js';
import { prerequisiteProblems } from './prerequisites.js';

export interface ValidateOptions {
  /** For the error: `file flags.json`, `Redis`, `the configuration`. */
  readonly source: string;
  /** Flags that are in force where the document has none of that name; it may require them. */
  readonly under?: Readonly<Record<string, FlagDefinition>>;
}

/** More of them help nobody. */
const MAX_PROBLEMS = 20;

/**
 * Reads a set of flags, and takes it whole or not at all.
 * @throws InvalidFlagsError with the place of each problem, as a JSON pointer with line and column
 */
export function parseFlagDocument(text: string, options: ValidateOptions): FlagDocument {
  const places = new JsonPlaces(text);
  const syntax = places.syntaxProblem();
  if (syntax) throw new InvalidFlagsError(options.source, [syntax]);
  const document: unknown = JSON.parse(text);
  const found = [...places.repeatedKeys(), ...problemsOf(document, options)];
  const problems = found.slice(0, MAX_PROBLEMS).map(problem => ({ ...places.placeOf(problem.pointer), ...problem }));
  if (problems.length > 0) throw new InvalidFlagsError(options.source, problems);
  return document as FlagDocument;
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
  const { flags, $evaluators } = document;
  const own = [
    ...Object.entries(flags as object).flatMap(([key, definition]) => [
      ...definitionProblems(key, definition),
      ...(isObject(definition) ? operationProblems(`/flags/${escaped(key)}/targeting`, definition['targeting']) : []),
    ]),
    ...operationProblemsOf($evaluators),
  ];
  if (own.length > 0) return own;
  const schema = schemaProblems(document);
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
