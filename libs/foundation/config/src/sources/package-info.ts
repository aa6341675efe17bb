import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseTree } from './document.js';
import { SourceProblem } from './problems.js';
import { readTextFile } from './text-file.js';

/** Name and version of an app, from its package.json. */
export interface PackageInfo {
  readonly file: string;
  readonly name?: string;
  readonly version?: string;
}

/** The nearest package.json: of `apps/<app>` where that exists (Nest's monorepo), else of `root` and the folders above it. */
export function readPackageInfo(root: string, app?: string): PackageInfo | undefined {
  const start = app === undefined ? [] : [path.join(root, 'apps', app, 'package.json')];
  for (const file of [...start, ...upwards(root)]) {
    if (!existsSync(file)) continue;
    try {
      const { name, version } = parseTree(readTextFile(file, file), file).value as Record<string, unknown>;
      return {
        file,
        name: typeof name === 'string' ? name.replace(/^@[^/]+\//, '') : undefined,
        version: typeof version === 'string' ? version : undefined,
      };
    } catch (error) {
      if (error instanceof SourceProblem) continue; // not ours to judge: name and version have defaults
      throw error;
    }
  }
  return undefined;
}

function* upwards(folder: string): Generator<string> {
  yield path.join(folder, 'package.json');
  const parent = path.dirname(folder);
  if (parent !== folder) yield* upwards(parent);
}
