import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';

import { ShutdownConfig } from '@core-infra/core';
import { parse, parseAllDocuments } from 'yaml';

const root = path.resolve(__dirname, '..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

interface Snippet {
  readonly document: string;
  readonly line: number;
}

describe('the snippets of a document', () => {
  const { problemsOf, snippetsOf } = require('../tools/check/snippets.js') as {
    snippetsOf(document: string, text: string): Snippet[];
    problemsOf(snippets: Snippet[]): string[];
  };
  const fence = (code: string, info = ''): string => `\`\`\`ts${info}\n${code}\n\`\`\`\n`;

  it('are reported by the file and line of the Markdown', () => {
    const text = `# Title\n\n${fence('export const a = 1;\nexport const b: string = a;')}\n${fence("import '@core-infra/none';")}`;
    expect(problemsOf(snippetsOf('docs/example.md', text))).toEqual([
      expect.stringMatching(/^docs\/example\.md:5 Type 'number'/),
      expect.stringMatching(/^docs\/example\.md:9 Cannot find module .*'@core-infra\/none'/),
    ]);
  });

  it('see the packages of this repository, each other by file name, and not each other’s names', () => {
    const text = [
      fence(
        "import { InfraError } from '@core-infra/kernel';\nexport const a: typeof InfraError = InfraError;",
        ' file=first.ts',
      ),
      fence("import { a } from './first.js';\nexport const b: string = a.name;"),
      fence('const b = 1;\nexport { b };'),
    ].join('\n');
    expect(problemsOf(snippetsOf('docs/example.md', text))).toEqual([]);
  });

  it('are left alone where the fence says no-check, and inside other fences', () => {
    const text = `${fence('nonsense(', ' no-check')}\n\`\`\`sh\nnpm start\n\`\`\`\n`;
    expect(snippetsOf('docs/example.md', text)).toEqual([]);
  });
});

describe('docker-compose.yml', () => {
  const { problemsOf } = require('../tools/check/compose.js') as { problemsOf(text: string): string[] };
  const compose = parse(read('docker-compose.yml')) as {
    services: Record<string, { image?: string; ports?: string[]; healthcheck?: object; build?: object }>;
  };

  it('is valid by the schema of the Compose Specification, which refuses what is not', () => {
    expect(problemsOf(read('docker-compose.yml'))).toEqual([]);
    expect(problemsOf('services: { web: { imagee: nginx } }')).toEqual([expect.stringContaining('imagee')]);
  });

  it('publishes the documented ports, on the loopback address alone', () => {
    const ports = Object.values(compose.services).flatMap(service => service.ports ?? []);
    expect(ports.sort()).toEqual([
      '127.0.0.1:5432:5432',
      '127.0.0.1:6379:6379',
      '127.0.0.1:8080:8080',
      '127.0.0.1:8081:8080',
      '127.0.0.1:8082:8082',
    ]);
  });

  it('pins every image and checks the health of every service', () => {
    for (const { image, healthcheck, build } of Object.values(compose.services)) {
      if (build) continue; // its Dockerfile has the HEALTHCHECK
      expect(image).toMatch(/:\d+\.\d+/);
      expect(healthcheck).toMatchObject({ test: expect.anything() });
    }
    expect(read('deploy/Dockerfile')).toMatch(/^HEALTHCHECK [\s\S]*\/health\/live/m);
    expect(read('deploy/Dockerfile')).toMatch(/^USER node$/m);
  });
});

describe.each([
  ['orders-api', ['Deployment', 'Service']],
  // Nobody calls it but the probes.
  ['orders-worker', ['Deployment']],
])('deploy/k8s/%s.yaml', (app, kinds) => {
  interface Probe {
    readonly httpGet: { readonly path: string; readonly port: string };
  }
  interface Manifest {
    readonly kind: string;
    readonly spec: { readonly template: { readonly spec: PodSpec } };
  }
  interface PodSpec {
    readonly terminationGracePeriodSeconds: number;
    readonly enableServiceLinks: boolean;
    readonly securityContext: object;
    readonly containers: (Record<'startupProbe' | 'livenessProbe' | 'readinessProbe', Probe> & {
      readonly securityContext: object;
      readonly resources: { readonly requests: object; readonly limits: object };
    })[];
  }
  const manifests = parseAllDocuments(read(`deploy/k8s/${app}.yaml`)).map(document => document.toJS() as Manifest);
  const pod = manifests.find(({ kind }) => kind === 'Deployment')?.spec.template.spec as PodSpec;
  const [container] = pod.containers;

  it('has what the app needs', () => {
    expect(manifests.map(({ kind }) => kind)).toEqual(kinds);
  });

  it('probes the routes made for it', () => {
    expect(container?.startupProbe.httpGet).toEqual({ path: '/health/startup', port: 'http' });
    expect(container?.livenessProbe.httpGet).toEqual({ path: '/health/live', port: 'http' });
    expect(container?.readinessProbe.httpGet).toEqual({ path: '/health/ready', port: 'http' });
  });

  it('grants more time to stop than the app takes at most', () => {
    expect(pod.terminationGracePeriodSeconds * 1000).toBeGreaterThan(new ShutdownConfig().timeoutMs);
  });

  it('runs under the restricted Pod Security Standard', () => {
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(container?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
    expect(container?.resources).toMatchObject({
      requests: { memory: expect.any(String) },
      limits: { memory: expect.any(String) },
    });
    expect(pod.enableServiceLinks).toBe(false);
  });
});

describe('a package as npm would publish it', () => {
  const { problemsOf } = require('../tools/check/packages.js') as {
    problemsOf(manifest: object, files: string[], read: (file: string) => string): string[];
  };
  const manifest = {
    name: '@core-infra/tea',
    exports: { '.': { 'core-infra-source': './src/index.ts', types: './dist/index.d.ts', default: './dist/index.js' } },
    bin: './bin/tea.cjs',
    dependencies: { pg: '8' },
    peerDependencies: { '@nestjs/core': '12' },
  };
  const files = ['README.md', 'LICENSE', 'dist/index.js', 'dist/index.d.ts', 'bin/tea.cjs'];

  it('is complete, and declares what it imports', () => {
    const text = `require("pg/lib"); require('node:fs'); import x from '@nestjs/core/y'; require('./z');\n// from 'no'`;
    expect(problemsOf(manifest, files, () => text)).toEqual([]);
  });

  it('is refused with what is missing, what is too much and what is undeclared', () => {
    const published = ['README.md', 'dist/index.js', 'dist/a.spec.js', 'bin/tea.cjs'];
    const text = `const a = require("left-pad"); await import('@nestjs/common/internal');`;
    expect(problemsOf(manifest, published, () => text)).toEqual([
      'LICENSE is not published',
      'dist/index.d.ts is not published',
      'dist/a.spec.js is published',
      'left-pad is imported, and not among its dependencies',
      '@nestjs/common is imported, and not among its dependencies',
    ]);
  });
});

describe('what CI counts', () => {
  interface SpecFile {
    name: string;
    status: string;
    assertionResults: { status: string }[];
  }
  const { countsOf, filesToRepeat } = require('../tools/check/test-report.js') as {
    countsOf(text: string, secondText?: string): { passed: number; failed: number };
    filesToRepeat(text: string): string[];
  };
  const file = (name: string, ...specs: string[]): SpecFile => ({
    name,
    status: specs.length === 0 || specs.includes('failed') ? 'failed' : 'passed',
    assertionResults: specs.map(status => ({ status })),
  });
  const report = (testResults: SpecFile[], success = testResults.every(({ status }) => status === 'passed')): string =>
    JSON.stringify({ testResults, success });
  const well = file('well', 'passed', 'passed', 'pending');
  const torn = file('torn', 'passed', 'failed', 'failed');
  const unrunnable = file('unrunnable');

  it('is the specs, and each file that could not run', () => {
    expect(countsOf(report([well]))).toEqual({ passed: 2, failed: 0 });
    expect(countsOf(report([well, torn, unrunnable]))).toEqual({ passed: 3, failed: 3 });
    expect(countsOf(report([well], false))).toEqual({ passed: 2, failed: 1 });
    expect(countsOf('')).toEqual({ passed: 0, failed: 1 });
  });

  it('takes the second run of a file that failed, and repeats a few of them at most', () => {
    const first = report([well, torn, unrunnable]);
    expect(filesToRepeat(first)).toEqual(['torn', 'unrunnable']);
    expect(countsOf(first, report([file('torn', 'passed', 'passed', 'passed'), unrunnable]))).toEqual({
      passed: 5,
      failed: 1,
    });
    expect(countsOf(first, report([file('torn', 'passed', 'passed', 'failed'), file('unrunnable', 'passed')]))).toEqual(
      {
        passed: 5,
        failed: 1,
      },
    );
    expect(countsOf(report([torn]), '')).toEqual({ passed: 1, failed: 2 });
    expect(filesToRepeat(report([torn, torn, torn, unrunnable]))).toEqual([]);
    expect(filesToRepeat(report([well]))).toEqual([]);
  });
});

describe('tools/run.js', () => {
  it('says which tasks there are, one for each npm script', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    const { tasks } = require('../tools/runner/tasks.js') as { tasks: Record<string, unknown> };
    expect(Object.entries(scripts)).toEqual(Object.keys(scripts).map(name => [name, `node tools/run.js ${name}`]));
    expect(Object.keys(tasks).sort()).toEqual(Object.keys(scripts).sort());
  });

  it('passes on the exit code of what it ran', () => {
    expect(() =>
      execFileSync(process.execPath, ['tools/run.js', 'check', 'no-such-check'], { cwd: root, stdio: 'pipe' }),
    ).toThrow(/There is no check no-such-check/);
  });
});

describe('the lockfile', () => {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, object> };

  it('has what our packages need in the root, where an app that Nest has compiled into dist/ looks for it', () => {
    expect(Object.keys(packages)).toContain('node_modules/lru-cache');
    expect(Object.keys(packages).filter(place => /^(libs|apps)\/.*node_modules\//.test(place))).toEqual([]);
  });

  it('names no host', () => {
    expect(read('package-lock.json')).not.toMatch(/"resolved": "https?:/);
  });
});
