import { execFile } from 'node:child_process';
import { copyFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { useFolder } from './support/use-folder.js';

const run = promisify(execFile);
const folder = useFolder();
const source = resolve(__dirname, '../src');

/** What the compiler has against a program, which is one of its own: what it declares of flags is nobody else's. */
async function complaints(program: string): Promise<string> {
  await Promise.all(
    ['flag-types.ts', 'flag-document.ts', 'feature-flags.ts'].map(file =>
      copyFile(join(source, file), join(folder.path, file)),
    ),
  );
  const declarations =
    "export { FeatureFlags } from './feature-flags.js';\nexport { type FlagTypes } from './flag-types.js';\n";
  await writeFile(join(folder.path, 'index.ts'), declarations);
  await writeFile(join(folder.path, 'program.ts'), program);
  const tsc = join(require.resolve('typescript/package.json'), '../bin/tsc');
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--module', 'nodenext', '--target', 'es2023'];
  const { stdout } = await run(process.execPath, [tsc, ...options, join(folder.path, 'program.ts')]).catch(
    (error: { stdout: string }) => error,
  );
  return stdout.trim();
}

describe('names and types of flags', () => {
  it('are those that the app declares', async () => {
    const program = `
      import type { FeatureFlags } from './index.js';
      declare module './index.js' {
        interface FlagTypes { 'new-dashboard': boolean; banner: 'a' | 'b' }
      }
      declare const flags: FeatureFlags;
      const on: boolean = flags.isEnabled('new-dashboard', { targetingKey: 'ann', plan: 'pro' });
      const banner: 'a' | 'b' = flags.value('banner', 'a');
      const variant: string | undefined = flags.variant('banner');
      const details: 'a' | 'b' = flags.details('banner', 'b').value;
      // @ts-expect-error no such flag
      flags.isEnabled('new-dashbord');
      // @ts-expect-error it is no boolean
      flags.isEnabled('banner');
      // @ts-expect-error no such value
      flags.value('banner', 'c');
      // @ts-expect-error no such flag
      flags.variant('other');
      void [on, banner, variant, details];
    `;
    expect(await complaints(program)).toBe('');
  }, 60_000);

  it('are any where the app declares none', async () => {
    const program = `
      import type { FeatureFlags } from './index.js';
      declare const flags: FeatureFlags;
      const on: boolean = flags.isEnabled('anything');
      const text: string = flags.value('anything', 'x');
      const count: number = flags.value('anything', 5);
      const wide: boolean = flags.value('anything', true);
      // @ts-expect-error a text, by its fallback
      const wrong: number = flags.value('anything', 'x');
      void [on, text, count, wide, wrong];
    `;
    expect(await complaints(program)).toBe('');
  }, 60_000);
});
