import { createRequire } from 'node:module';
import { join } from 'node:path';

const load = createRequire(join(__dirname, '../../../../package.json'));

it('the TypeScript hook compiles exactly as Jest does', () => {
  const jest = load('./jest.config.js') as { transform: Record<string, [string, object]> };
  const [, settings] = jest.transform['^.+\\.ts$'] ?? [];
  expect(load('./libs/testing/swc-options.cjs')).toEqual(settings);
});
