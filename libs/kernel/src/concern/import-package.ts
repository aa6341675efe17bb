import { MissingPackageError } from '../errors/errors.js';

/**
 * Imports what needs an optional package.
 * @param install the packages with their versions, for the `npm install` line: `['ioredis@^5.11']`
 * @throws MissingPackageError when one of them is not installed; any other failure as it is
 */
export async function importPackage<T>(
  load: () => Promise<T>,
  neededBy: string,
  install: readonly string[],
): Promise<T> {
  try {
    return await load();
  } catch (error) {
    const code = (error as { code?: unknown }).code;
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND';
    const names = install.map(spec => spec.replace(/(?<=.)@[^@]*$/, ''));
    const ours = missing && names.some(name => (error as Error).message.includes(`'${name}`));
    throw ours ? new MissingPackageError(neededBy, install, { cause: error }) : error;
  }
}
