import { dirname, extname, join, sep } from 'node:path';
import { isFile, upwards } from '../files.js';
import type { CommandPackage } from './installed.packages.js';

/** A package's files as they were compiled into the build of an app. */
export interface BuiltCopy {
  /** The main entry, by which the copy is known. */
  readonly main: string;
  /** The entry with the commands, if it was compiled as well. */
  readonly cli?: string;
}

/**
 * Nest's monorepo build compiles libraries into the app's `dist/`, in folders named as their sources: `dist/apps/orders/src/…`
 * beside `dist/libs/foundation/config/src/…`. Such an app has classes of its own, and only commands compiled with it share them.
 */
export function builtCopy(appFile: string, { folder }: CommandPackage): BuiltCopy | undefined {
  if (extname(appFile) === '.ts') return undefined;
  const parts = folder.split(sep).filter(Boolean);
  for (const above of upwards(dirname(appFile))) {
    // At least two names of the package's own path, so that no stranger's folder is taken for it.
    for (let from = 0; from <= parts.length - 2; from += 1) {
      const source = join(above, ...parts.slice(from), 'src');
      const main = join(source, 'index.js');
      if (source === join(folder, 'src') || !isFile(main)) continue;
      const cli = join(source, 'cli.js');
      return isFile(cli) ? { main, cli } : { main };
    }
  }
  return undefined;
}
