import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';

export interface Manifest {
  readonly name?: string;
  readonly version?: string;
  readonly exports?: unknown;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly coreInfra?: {
    /** The file that exports the app's module, from this package.json. */
    readonly app?: string;
    /** That the package brings commands; a list names their first words, so that it is loaded only for them. */
    readonly cli?: boolean | readonly string[];
  };
}

/** The folder itself and all above it. */
export function* upwards(folder: string): Generator<string> {
  for (let at = folder, last = ''; at !== last; last = at, at = dirname(at)) yield at;
}

/** `undefined` where there is no package.json, or none that can be read: then it is as good as none. */
export function manifestIn(folder: string): Manifest | undefined {
  const file = join(folder, 'package.json');
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Manifest;
  } catch {
    return undefined; // a package.json that npm would not take either
  }
}

export function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
