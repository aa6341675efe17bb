import { errorMetadata, type ErrorMetadata, InfraError } from './infra-error.js';

/** A row of the error catalogue: what {@link ErrorSpec} states, and the class that states it. */
export interface CatalogueEntry extends ErrorMetadata {
  readonly name: string;
}

/**
 * The errors that the given modules export, sorted by code.
 * @throws TypeError when two classes state one code, naming both.
 */
export function catalogue(...modules: readonly object[]): CatalogueEntry[] {
  const byCode = new Map<string, { entry: CatalogueEntry; errorClass: unknown }>();
  for (const value of modules.flatMap(exports => Object.values(exports))) {
    if (typeof value !== 'function' || !(value.prototype instanceof InfraError)) continue;
    const spec = errorMetadata(value);
    if (!spec) continue;
    const known = byCode.get(spec.code);
    if (known && known.errorClass !== value) {
      throw new TypeError(
        `${spec.code} is the code of both ${known.entry.name} and ${value.name}. Give one of them another code.`,
      );
    }
    byCode.set(spec.code, { entry: { ...spec, name: value.name }, errorClass: value });
  }
  return [...byCode.values()].map(({ entry }) => entry).sort((a, b) => (a.code < b.code ? -1 : 1));
}
