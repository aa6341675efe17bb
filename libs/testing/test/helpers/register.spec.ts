import { createRequire } from 'node:module';
import { join } from 'node:path';

const load = createRequire(join(__dirname, '../../../../package.json'));

it('the TypeScript hook compiles exactly as Jest does', () => {
  const jest = load('./jest.config.js') as { transform: Record<string, [string, object]> };
  const [, settings] = jest.transform['^.+\\.ts$'] ?? [];
  const source = (load('node:fs') as typeof import('node:fs')).readFileSync(
    join(__dirname, '../../register.cjs'),
    'utf8',
  );
  // Read instead of loaded: loading it would hook this process's modules.
  const [, options = ''] = source.match(/^const options = (\{[\s\S]*?^\});/m) ?? [];
  expect(new Function(`return ${options}`)()).toEqual(settings);
});
