import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';

import { catalogue, ErrorSpec, InfraError } from '@core-infra/kernel';

const root = path.resolve(__dirname, '..');
const packageFiles = globSync(['libs/*/package.json', 'libs/*/*/package.json'], { cwd: root });
const entries = packageFiles
  .map(file => path.join(root, path.dirname(file), 'src'))
  .filter(folder => globSync('index.ts', { cwd: folder }).length > 0);
/** What apps import of them: the entry, and further ones such as `@core-infra/messaging/outbox`. */
const sources = packageFiles.flatMap(file => {
  const { exports } = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as {
    exports: Record<string, { 'core-infra-source'?: string } | string>;
  };
  return Object.entries(exports).flatMap(([subpath, target]) =>
    typeof target === 'object' && target['core-infra-source'] && !/^[.][/](cli|testing)$/.test(subpath)
      ? path.join(root, path.dirname(file), target['core-infra-source'])
      : [],
  );
});

describe('the error catalogue', () => {
  const modules = sources.map(source => require(source) as object);

  it('has no two classes of one code', () => {
    const rows = catalogue(...modules);
    expect(rows.length).toBeGreaterThan(0);
    expect(new Set(rows.map(({ code }) => code)).size).toBe(rows.length);
  });

  it('refuses two classes of one code, naming both', () => {
    @ErrorSpec({ code: 'INFRA_NOT_CONNECTED', summary: 'Another meaning.' })
    class ImpostorError extends InfraError {}

    expect(() => catalogue(...modules, { ImpostorError })).toThrow(
      /INFRA_NOT_CONNECTED.*NotConnectedError.*ImpostorError/,
    );
  });

  it('has every code that a source declares, so that each class is exported and documented', () => {
    const known = new Set(catalogue(...modules).map(({ code }) => code));
    const declared = entries.flatMap(folder =>
      globSync('**/*.ts', { cwd: folder }).flatMap(file => {
        const text = readFileSync(path.join(folder, file), 'utf8').replaceAll(/^\s*(?:\*|\/\*|\/\/).*$/gm, '');
        return [...text.matchAll(/@ErrorSpec\(\{\s*code:\s*'([^']+)'/g)].map(([, code]) => code);
      }),
    );
    expect(declared.length).toBeGreaterThan(0);
    expect(declared.filter(code => !known.has(code ?? ''))).toEqual([]);
  });

  it('begins every code with INFRA_, but those which answers to requests already promise', () => {
    const promised = [
      'NOT_FOUND',
      'VALIDATION_ERROR',
      'CONFLICT',
      'UNAUTHORIZED',
      'FORBIDDEN',
      'TOO_MANY_REQUESTS',
      'RATE_LIMITED',
      'CALLER_DENIED',
    ];
    const others = catalogue(...modules).filter(({ code }) => !code.startsWith('INFRA_') && !promised.includes(code));
    expect(others.map(({ code, name }) => `${code} (${name})`)).toEqual([]);
  });

  it('says of each when it is raised, in a sentence', () => {
    const vague = catalogue(...modules).filter(({ summary }) => !/^\S+ .*\.$/s.test(summary));
    expect(vague.map(({ code }) => code)).toEqual([]);
  });
});
