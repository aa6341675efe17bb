import { existsSync, readdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, manifestIn, upwards } from '../files.js';

/** A package that brings commands. */
export interface CommandPackage {
  readonly name: string;
  /** Where it is, links resolved. */
  readonly folder: string;
  readonly manifest: Manifest;
}

const scope = '@core-infra';

/**
 * Packages with a `./cli` entry that can be reached from a folder: all of ours that are installed, and those among the
 * dependencies of the nearest package.json that say `"coreInfra": { "cli": … }`. Nothing is loaded.
 */
export function installedPackages(from: string): CommandPackage[] {
  const found = new Map<string, CommandPackage>();
  const roots = [...upwards(from)].map(folder => join(folder, 'node_modules')).filter(existsSync);
  for (const name of [...ours(roots), ...dependencies(from)]) {
    if (found.has(name)) continue;
    const folder = roots.map(root => join(root, name)).find(candidate => existsSync(join(candidate, 'package.json')));
    const manifest = folder && manifestIn(folder);
    if (folder && manifest && bringsCommands(name, manifest))
      found.set(name, { name, folder: realpathSync(folder), manifest });
  }
  return [...found.values()];
}

function ours(roots: readonly string[]): string[] {
  return roots
    .map(root => join(root, scope))
    .filter(existsSync)
    .flatMap(folder => readdirSync(folder).map(name => `${scope}/${name}`));
}

function dependencies(from: string): string[] {
  const manifest = [...upwards(from)].map(manifestIn).find(Boolean) ?? {};
  const { dependencies, devDependencies, optionalDependencies, peerDependencies } = manifest;
  return Object.keys({ ...dependencies, ...devDependencies, ...optionalDependencies, ...peerDependencies });
}

function bringsCommands(name: string, { exports, coreInfra }: Manifest): boolean {
  const hasEntry = typeof exports === 'object' && exports !== null && './cli' in exports;
  return hasEntry && (name.startsWith(`${scope}/`) || !!coreInfra?.cli);
}
