import { execFile } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const root = path.resolve(__dirname, '..');

interface Violation {
  readonly from: string;
  readonly rule: { readonly name: string };
}

/** A repository of one-line packages, each with an entry, a file behind it and what the layers below may import. */
class SmallRepository {
  readonly folder = mkdtempSync(path.join(tmpdir(), 'layer-wall-'));

  constructor() {
    for (const file of ['.dependency-cruiser.cjs', 'tsconfig.json']) {
      copyFileSync(path.join(root, file), path.join(this.folder, file));
    }
    this.write('package.json', JSON.stringify({ name: 'small', private: true }));
    for (const name of [
      'pino',
      'nestjs-pino',
      'prom-client',
      '@opentelemetry/api',
      'left-pad',
      'a-dev-tool',
      'a-tested-peer',
    ]) {
      this.write(`node_modules/${name}/package.json`, JSON.stringify({ name, version: '1.0.0', main: 'index.js' }));
      this.write(`node_modules/${name}/index.js`, 'module.exports = {};');
    }
    for (const layer of [
      'kernel',
      'core',
      'cli',
      'testing',
      'foundation/logger',
      'foundation/health',
      'foundation/observability',
    ]) {
      this.addPackage(layer);
    }
    for (const layer of ['connections/redis', 'connections/database', 'capabilities/cache', 'capabilities/messaging']) {
      this.addPackage(layer);
    }
    this.write('apps/shop/package.json', manifest('shop', {}));
  }

  write(file: string, text: string): void {
    mkdirSync(path.dirname(path.join(this.folder, file)), { recursive: true });
    writeFileSync(path.join(this.folder, file), text);
  }

  /** Runs dependency-cruiser as CI does, and returns the names of the rules that each file breaks. */
  async cruise(): Promise<Map<string, string[]>> {
    const cruiser = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
    const args = [
      cruiser,
      '--config',
      '.dependency-cruiser.cjs',
      '--output-type',
      'json',
      'libs',
      'apps',
      'test',
      'bench',
    ];
    const options = { cwd: this.folder, maxBuffer: 64 * 1024 * 1024 };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, args, options).catch(
      (error: { stdout: string; stderr: string }) => error,
    );
    if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not run: ${stderr}`);
    const { summary } = JSON.parse(stdout) as { summary: { violations: Violation[] } };
    const broken = new Map<string, string[]>();
    for (const { from, rule } of summary.violations) broken.set(from, [...(broken.get(from) ?? []), rule.name]);
    return broken;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  private addPackage(layer: string): void {
    const name = path.basename(layer);
    const all = ['kernel', 'core', 'cli', 'testing', 'logger', 'health', 'redis', 'database', 'cache', 'messaging'];
    const peers = Object.fromEntries(all.filter(other => other !== name).map(other => [`@core-infra/${other}`, '*']));
    const known = {
      'a-tested-peer': '*',
      pino: '*',
      'nestjs-pino': '*',
      'prom-client': '*',
      '@opentelemetry/api': '*',
      ...peers,
    };
    this.write(`libs/${layer}/package.json`, manifest(`@core-infra/${name}`, known));
    this.write(`libs/${layer}/src/index.ts`, `export const ${name} = 1;\n`);
    this.write(`libs/${layer}/src/inner.ts`, `export const inner = 1;\n`);
  }
}

function manifest(name: string, peerDependencies: Record<string, string>): string {
  const exports = { '.': { 'core-infra-source': './src/index.ts', default: './dist/index.js' } };
  return JSON.stringify({
    name,
    exports,
    peerDependencies,
    devDependencies: { 'a-dev-tool': '*', 'a-tested-peer': '*' },
  });
}

/** File, what it says, and the rule that refuses it; no rule where it is as it should be. */
const cases: [file: string, text: string, rule?: string][] = [
  ['libs/kernel/src/a.ts', "import '@core-infra/logger';", 'kernel-imports-nothing'],
  ['libs/kernel/src/b.ts', "import '@core-infra/testing';", 'kernel-imports-nothing'],
  ['libs/kernel/src/c.ts', "import './inner.js';"],
  ['libs/foundation/health/src/a.ts', "import '@core-infra/kernel';"],
  ['libs/foundation/health/src/b.ts', "import '@core-infra/logger';", 'foundation-imports-kernel'],
  ['libs/foundation/health/src/c.ts', "import '@core-infra/redis';", 'foundation-imports-kernel'],
  ['libs/foundation/health/src/d.ts', "import '@core-infra/cache';", 'foundation-imports-kernel'],
  ['libs/foundation/health/src/e.ts', "import '@core-infra/core';", 'foundation-imports-kernel'],
  [
    'libs/foundation/health/src/f.ts',
    "import type { logger } from '@core-infra/logger'; export type A = typeof logger;",
    'foundation-imports-kernel',
  ],
  [
    'libs/foundation/health/src/g.ts',
    "export const a = () => import('@core-infra/logger');",
    'foundation-imports-kernel',
  ],
  ['libs/foundation/health/src/h.ts', "export { logger } from '@core-infra/logger';", 'foundation-imports-kernel'],
  ['libs/connections/redis/src/a.ts', "import '@core-infra/kernel';"],
  ['libs/connections/redis/src/b.ts', "import '@core-infra/database';", 'connections-import-kernel'],
  ['libs/connections/redis/src/c.ts', "import '@core-infra/cache';", 'connections-import-kernel'],
  ['libs/connections/redis/src/d.ts', "import '@core-infra/health';", 'connections-import-kernel'],
  ['libs/capabilities/cache/src/a.ts', "import '@core-infra/kernel';"],
  ['libs/capabilities/cache/src/b.ts', "import '@core-infra/redis';", 'capabilities-import-kernel'],
  [
    'libs/capabilities/cache/src/c.ts',
    "export const a = () => import('@core-infra/redis');",
    'capabilities-import-kernel',
  ],
  ['libs/capabilities/cache/src/d.ts', "import '@core-infra/messaging';", 'capabilities-import-kernel'],
  [
    'libs/capabilities/cache/src/drivers/redis.ts',
    "import { redis } from '@core-infra/redis'; export const a = redis;",
  ],
  [
    'libs/capabilities/cache/src/drivers/bus.ts',
    "import { messaging } from '@core-infra/messaging'; export const a = messaging;",
  ],
  ['libs/capabilities/cache/src/drivers/f.ts', "import '@core-infra/health';", 'drivers-import-connections'],
  [
    'libs/capabilities/cache/src/drivers/deep.ts',
    "import '../../../../connections/redis/src/inner.js';",
    'through-the-entry-of-another',
  ],
  ['libs/capabilities/cache/src/lazy.ts', "export const a = () => import('./drivers/redis.js');"],
  ['libs/capabilities/cache/src/eager.ts', "export { a } from './drivers/redis.js';", 'drivers-are-loaded-lazily'],
  [
    'libs/capabilities/cache/src/drivers/redis/part.ts',
    "import type {} from '@core-infra/redis'; import '@core-infra/redis'; export const part = 1;",
  ],
  ['libs/capabilities/cache/src/drivers/redis/whole.ts', "import './part.js'; import '@core-infra/redis';"],
  [
    'libs/capabilities/cache/src/drivers/other.ts',
    "import './redis/part.js'; export const other = 1;",
    'drivers-are-loaded-one-by-one',
  ],
  ['libs/core/src/a.ts', "import '@core-infra/kernel'; import '@core-infra/health';"],
  ['libs/core/src/b.ts', "import '@core-infra/redis';", 'core-imports-foundation'],
  ['libs/core/src/c.ts', "import '@core-infra/cache';", 'core-imports-foundation'],
  ['libs/core/src/d.ts', "import '../../foundation/health/src/inner.js';", 'through-the-entry-of-another'],
  ['libs/cli/src/a.ts', "import '@core-infra/core'; import '@core-infra/health';"],
  ['libs/cli/src/b.ts', "import '@core-infra/database';", 'cli-imports-core'],
  ['libs/testing/src/a.ts', "import '@core-infra/core';"],
  ['libs/testing/src/b.ts', "import '@core-infra/cache';", 'testing-imports-core'],
  ['libs/core/test/a.spec.ts', "import '@core-infra/redis'; import '../src/inner.js';"],
  ['libs/core/test/b.spec.ts', "import '../../connections/redis/src/inner.js';", 'through-the-entry-of-another'],
  ['libs/core/test/c.spec.ts', "import '../../../apps/shop/src/main.js';", 'libs-without-apps'],
  ['libs/core/src/e.ts', "import '../test/a.spec.js';", 'sources-without-specs'],
  ['apps/shop/src/main.ts', 'export const main = 1;'],
  ['apps/shop/src/b.ts', "import '../../../libs/core/src/inner.js';", 'through-the-entry'],
  ['test/a.spec.ts', "import '@core-infra/redis'; import '@core-infra/cache';"],
  ['test/b.spec.ts', "import '../libs/core/src/inner.js';", 'through-the-entry'],
  ['bench/a.ts', "import '@core-infra/redis'; import 'pino';"],
  ['bench/b.ts', "import '../libs/core/src/inner.js';", 'through-the-entry'],
  ['libs/foundation/logger/src/a.ts', "import 'pino'; import 'nestjs-pino';"],
  ['libs/core/src/f.ts', "import 'pino';", 'pino-is-the-loggers'],
  ['libs/core/src/g.ts', "import 'nestjs-pino';", 'pino-is-the-loggers'],
  ['libs/foundation/observability/src/a.ts', "import 'prom-client'; import '@opentelemetry/api';"],
  ['libs/core/src/h.ts', "import 'prom-client';", 'telemetry-is-observabilitys'],
  ['libs/core/src/i.ts', "import '@opentelemetry/api';", 'telemetry-is-observabilitys'],
  ['libs/core/src/j.ts', "import 'left-pad';", 'declared-dependency'],
  ['libs/core/src/k.ts', "import 'a-dev-tool';", 'no-dev-dependency'],
  ['libs/core/src/k2.ts', "import 'a-tested-peer';"],
  ['libs/core/src/l.ts', "import 'never-installed';", 'resolvable'],
  ['libs/core/src/m.ts', "import '@core-infra/observability';", 'declared-package'],
  ['apps/shop/src/c.ts', "import '@core-infra/core';", 'declared-package'],
  ['libs/core/src/n.ts', "import { o } from './o.js'; export const n = () => o;", 'no-circular'],
  ['libs/core/src/p.ts', "import type { Q } from './q.js'; export interface P { q: Q }"],
  ['libs/core/src/q.ts', "import type { P } from './p.js'; export interface Q { p: P }"],
];

describe('the layer wall', () => {
  const repository = new SmallRepository();
  let broken = new Map<string, string[]>();

  beforeAll(async () => {
    for (const [file, text] of cases) repository.write(file, `${text}\n`);
    repository.write('libs/core/src/o.ts', "import { n } from './n.js'; export const o = () => n;\n");
    broken = await repository.cruise();
  });
  afterAll(() => repository.remove());

  it.each(cases.filter(([, , rule]) => rule))('%s, which says %s, is refused by %s', (file, _text, rule) => {
    expect(broken.get(file)).toContain(rule);
  });

  it.each(cases.filter(([, , rule]) => !rule))('%s, which says %s, is let through', file => {
    expect(broken.get(file)).toBeUndefined();
  });
});

describe('the rules that no tool knows', () => {
  const sources = globSync('libs/**/src/**/*.ts', {
    cwd: root,
    exclude: name => name === 'node_modules' || name === 'dist',
  });

  it('no package implements onModuleDestroy, which runs while requests are still served', () => {
    const offenders = sources.filter(file =>
      /^\s*(?:async\s+)?onModuleDestroy\s*\(/m.test(readFileSync(path.join(root, file), 'utf8')),
    );
    expect(sources.length).toBeGreaterThan(0);
    expect(offenders).toEqual([]);
  });

  it('every entry of a package has a pattern in tsconfig.json, so that imports of it are compiled from source', () => {
    const { compilerOptions } = JSON.parse(readFileSync(path.join(root, 'tsconfig.json'), 'utf8')) as {
      compilerOptions: { paths: Record<string, string[]> };
    };
    const manifests = globSync('libs/**/package.json', {
      cwd: root,
      exclude: name => name === 'node_modules' || name === 'dist',
    });
    const unknown = manifests.flatMap(file => {
      const { name, exports } = JSON.parse(readFileSync(path.join(root, file), 'utf8')) as {
        name: string;
        exports: Record<string, string | Record<string, string>>;
      };
      return Object.entries(exports)
        .filter(([subpath, target]) => {
          const source = typeof target === 'object' ? target['core-infra-source'] : undefined;
          if (!source || !existsSync(path.join(root, path.dirname(file), 'src'))) return false;
          const wanted = path.posix.join(path.dirname(path.dirname(file)), '*', source);
          const pattern = `@core-infra/*${subpath.slice(1)}`;
          return !compilerOptions.paths[pattern]?.includes(`./${wanted}`);
        })
        .map(([subpath]) => `${name}${subpath.slice(1)}`);
    });
    expect(unknown).toEqual([]);
  });
});
