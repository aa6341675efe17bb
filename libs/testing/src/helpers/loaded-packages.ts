import { resolve } from 'node:path';
import { runChild } from './run-child.js';

/**
 * The npm packages that a process has loaded at the end of a program: sorted names, of `require` and `import` alike. Shows that what is
 * not used is not loaded.
 *
 * @param file A program that ends by itself.
 * @throws Error with its output when the program fails.
 */
export async function loadedPackages(file: string, env?: Record<string, string | undefined>): Promise<string[]> {
  const reporter = require.resolve('@core-infra/testing/report-loaded');
  const child = runChild(file, { execArgv: ['--require', reporter], ...(env && { env }) });
  const { code } = await child.exit;
  if (code !== 0) throw new Error(`${resolve(file)} ended with ${code}:\n${child.lines.join('\n')}`);
  const report = child.stdout.findLast(line => line.startsWith('{"loadedPackages":'));
  return (JSON.parse(report ?? '{"loadedPackages":[]}') as { loadedPackages: string[] }).loadedPackages.sort();
}
