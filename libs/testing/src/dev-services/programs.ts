import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';

/** Where a project keeps servers that are not installed on the machine, seen from the working directory. */
const OWN_PROGRAMS = join('.dev-services', 'bin');

/**
 * The absolute path of a program: what `variable` names, else the first of that name on the `PATH`, else in `.dev-services/bin` of the
 * working directory. `undefined` when there is none.
 */
export function findProgram(name: string, variable?: string): string | undefined {
  const named = variable && process.env[variable];
  if (named) return isProgram(named) ? resolve(named) : undefined;
  const suffix = process.platform === 'win32' ? '.exe' : '';
  return [...(process.env.PATH ?? '').split(delimiter).filter(folder => folder !== ''), OWN_PROGRAMS]
    .map(folder => resolve(folder, `${name}${suffix}`))
    .find(isProgram);
}

function isProgram(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    // Not there, or not for this account.
    return false;
  }
}
