import { dirname, extname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { reasonOf } from '@core-infra/kernel';
import { AppFileError } from '../errors.js';
import { isFile, manifestIn, upwards } from '../files.js';

/** A module class or a dynamic module: what NestFactory takes. */
export type AppModule = object;

const extensions = ['', '.js', '.cjs', '.mjs', '.ts'];

/**
 * The file that exports the app's module: what `--app` says, else CORE_INFRA_APP, else `coreInfra.app` of the nearest package.json.
 * @returns undefined when nothing names one
 * @throws AppFileError when the file does not exist
 */
export function findAppFile(flag: string | undefined, cwd: string, env: NodeJS.ProcessEnv): string | undefined {
  const named = flag ?? (env['CORE_INFRA_APP'] || undefined);
  if (named !== undefined) return existing(resolve(cwd, named));
  for (const folder of upwards(cwd)) {
    const manifest = manifestIn(folder);
    if (manifest) return manifest.coreInfra?.app ? existing(resolve(folder, manifest.coreInfra.app)) : undefined;
  }
  return undefined;
}

function existing(path: string): string {
  const found = extensions.map(extension => path + extension).find(isFile);
  if (found) return found;
  throw new AppFileError(path, 'does not exist', 'Build the app first, or correct --app.');
}

/** @throws AppFileError when the file fails to load or it is not clear which of its exports is the module */
export async function loadAppModule(file: string): Promise<AppModule> {
  const exported = await load(file);
  const found = exported['default'] ?? exported['AppModule'] ?? onlyClass(exported);
  if (isModule(found)) return found;
  const names = Object.keys(exported).filter(name => name !== '__esModule');
  throw new AppFileError(
    file,
    `exports ${names.length > 0 ? names.join(', ') : 'nothing'}, and none of that is plainly the module of an app`,
    'Export the module class as AppModule, as the default, or as the only class of the file.',
  );
}

async function load(file: string): Promise<Record<string, unknown>> {
  try {
    const namespace = (await import(pathToFileURL(file).href)) as Record<string, unknown>;
    // The default of a CommonJS file is its whole `module.exports`.
    const whole = namespace['default'];
    const isCommonJs = typeof whole === 'object' && whole !== null && !isDynamicModule(whole);
    const exported: Record<string, unknown> = { ...namespace, ...(isCommonJs ? whole : {}) };
    if (isCommonJs && exported['default'] === whole) delete exported['default'];
    delete exported['module.exports'];
    return exported;
  } catch (error) {
    const source = extname(file) === '.ts';
    throw new AppFileError(
      file,
      `could not be loaded: ${reasonOf(error)}`,
      source
        ? 'It is TypeScript: build the app and name the built file, or run this command under a hook that compiles decorators.'
        : `Look at the cause; the file was loaded from ${dirname(file)}.`,
      { cause: error },
    );
  }
}

function onlyClass(exported: Record<string, unknown>): unknown {
  const classes = Object.values(exported).filter(
    value => typeof value === 'function' && /^class\b/.test(String(value)),
  );
  return classes.length === 1 ? classes[0] : undefined;
}

function isModule(value: unknown): value is AppModule {
  return typeof value === 'function' || isDynamicModule(value);
}

function isDynamicModule(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'module' in value && typeof value.module === 'function';
}
