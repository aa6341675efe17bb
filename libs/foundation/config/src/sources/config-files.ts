import { readdirSync } from 'node:fs';
import path from 'node:path';
import { nearest } from '@core-infra/kernel';
import { environmentSpellings, type KnownEnvironment } from './environment.js';
import { SourceProblem } from './problems.js';
import { reasonOfFileError } from './text-file.js';

const EXTENSIONS = ['yaml', 'yml', 'json'];

/** Which files are looked for. */
export interface ConfigFilesQuery {
  /** Absolute. */
  readonly directory: string;
  /** Whether the directory must be there, because somebody named it. */
  readonly required: boolean;
  /** Folders inside the directory that are read too, each on top of what is shared: one per app or module. */
  readonly folders: readonly string[];
  readonly environment: KnownEnvironment;
}

export interface FoundFiles {
  /** Absolute paths, lowest precedence first. */
  readonly files: readonly string[];
  /** Absolute paths of the folders that were looked into, whether they are there or not. */
  readonly folders: readonly string[];
  readonly problems: readonly SourceProblem[];
  readonly notices: readonly string[];
}

/** Finds `default.*` and `<environment>.*`, shared ones and those of each folder: default, default of the folders, environment, environment of the folders. */
export function findConfigFiles(query: ConfigFilesQuery, label: (path: string) => string): FoundFiles {
  const folders = [query.directory, ...query.folders.map(folder => path.join(query.directory, folder))];
  const problems: SourceProblem[] = [];
  const notices: string[] = [];
  const listings = folders.map((folder, index) => {
    const names = list(folder, label(folder), query.required && index === 0, problems);
    notices.push(
      ...misnamed(names).map(
        ([name, meant]) => `${label(path.join(folder, name))} is not read. Did you mean ${meant}?`,
      ),
    );
    return { folder, names };
  });
  const pick = (bases: readonly string[]) =>
    listings.flatMap(({ folder, names }) => {
      const found = bases
        .flatMap(base => EXTENSIONS.map(extension => `${base}.${extension}`))
        .filter(name => names.includes(name));
      if (found.length > 1) {
        problems.push(
          new SourceProblem(label(path.join(folder, found[0]!)), 'one file of each name', found.join(' and ')),
        );
      }
      return found.slice(0, 1).map(name => path.join(folder, name));
    });
  const files = [...pick(['default']), ...pick(environmentSpellings(query.environment))];
  return { files, folders, problems, notices };
}

function list(folder: string, label: string, required: boolean, problems: SourceProblem[]): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT')
      problems.push(new SourceProblem(label, 'a folder that can be read', reasonOfFileError(error)));
    else if (required) problems.push(new SourceProblem(label, 'a folder that exists', 'nothing'));
    return [];
  }
}

/** Files such as `prodution.yaml`, which would be passed over in silence. */
function misnamed(names: readonly string[]): [name: string, meant: string][] {
  const known = ['default', ...environmentSpellings()];
  return names.flatMap((name): [string, string][] => {
    const [, base, extension] = /^([^.].*)\.(yaml|yml|json)$/.exec(name) ?? [];
    if (base === undefined || known.includes(base)) return [];
    const meant = nearest(base, known, 2);
    return meant ? [[name, `${meant}.${extension}`]] : [];
  });
}
