import { extname } from 'node:path';
import { importPackage } from '@core-infra/kernel';
import { openJson, type OpenText } from '../evaluation/places.js';
import type { FlagDefinition, FlagDocument } from '../flag-document.js';

/** How a file of flags is written. */
export interface FlagFormat {
  /** Reads a text. */
  readonly open: OpenText;
  /** Whether the beginning of a text is hardly ever a whole one, so that one which is whole may be taken at once. */
  readonly tellsItsEnd: boolean;
  /** An empty document. */
  readonly empty: string;
  /**
   * The text with other definitions of some flags.
   * @param document what the text says with them
   * @param changed the definitions that are others; `null` for flags that are gone
   */
  rewrite(text: string, document: FlagDocument, changed: Readonly<Record<string, FlagDefinition | null>>): string;
}

export const json: FlagFormat = {
  open: openJson,
  tellsItsEnd: true,
  empty: '{ "flags": {} }',
  rewrite: (_text, document) => `${JSON.stringify(document, null, 2)}\n`,
};

/**
 * The format of a file by its name: `.yaml` and `.yml` are YAML, all others JSON.
 * @param neededBy for the error
 * @throws MissingPackageError for YAML where the package `yaml` is not installed
 */
export async function formatOf(path: string, neededBy: string): Promise<FlagFormat> {
  if (!/^\.ya?ml$/i.test(extname(path))) return json;
  const { yaml } = await importPackage(() => import('./yaml.format.js'), neededBy, ['yaml@^2.8.0']);
  return yaml;
}
