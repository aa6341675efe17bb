'use strict';

// The layer table, as a wall (docs/decisions/layer-wall.md). Everything here is about the tree in the current folder, so
// that a spec can hold the same rules against a tree of its own that breaks them (test/boundaries.spec.ts).

const { existsSync, readdirSync, readFileSync } = require('node:fs');
const path = require('node:path');

const root = process.cwd();
const packages = ['libs', ...folders('libs')]
  .flatMap(folders)
  .filter(folder => existsSync(path.join(root, folder, 'package.json')));
const manifests = new Map(
  packages.map(folder => [folder, JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8'))]),
);

const outside = '^(libs|apps|test|bench|tools)/';
const kernel = '^libs/kernel/';
const entries = packages.flatMap(folder => sourceEntries(folder).map(entry => `^${escape(entry)}$`));
const specs = '^libs/.+/test/';

/** What a layer's sources may not import is everything of this repository but what is listed. */
const only = (name, comment, from, allowed, fromNot) => ({
  name,
  comment,
  severity: 'error',
  from: { path: from, ...(fromNot && { pathNot: fromNot }) },
  to: { path: outside, pathNot: allowed },
});

const never = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });

const layers = [
  only('kernel-imports-nothing', 'The kernel imports no other package of this repository.', '^libs/kernel/src/', [
    kernel,
  ]),
  only(
    'foundation-imports-kernel',
    'A foundation package imports the kernel alone; siblings are met through the kernel’s ports.',
    '^libs/foundation/([^/]+)/src/',
    [kernel, '^libs/foundation/$1/'],
  ),
  only(
    'connections-import-kernel',
    'A connection package imports the kernel alone.',
    '^libs/connections/([^/]+)/src/',
    [kernel, '^libs/connections/$1/'],
  ),
  only(
    'capabilities-import-kernel',
    'A capability imports the kernel alone; it stands on a connection, or on another capability, in src/drivers/<x>.ts or src/outbox only.',
    '^libs/capabilities/([^/]+)/src/',
    [kernel, '^libs/capabilities/$1/'],
    '^libs/capabilities/[^/]+/src/(drivers|outbox)/',
  ),
  only(
    'drivers-import-connections',
    // The outbox is an entry of its own (@core-infra/messaging/outbox), which only apps with a database import.
    'A driver of a capability, or its outbox, imports the kernel, a connection or the port of another capability.',
    '^libs/capabilities/([^/]+)/src/(?:drivers|outbox)/',
    [kernel, '^libs/capabilities/', '^libs/connections/'],
  ),
  only(
    'core-imports-foundation',
    'Core imports the kernel and the foundation; the rest is handed to it.',
    '^libs/core/src/',
    [kernel, '^libs/core/', '^libs/foundation/'],
  ),
  only('cli-imports-core', 'The command knows no concern: each package brings its commands.', '^libs/cli/src/', [
    kernel,
    '^libs/(cli|core)/',
    '^libs/foundation/',
  ]),
  only('testing-imports-core', 'The test helpers know no concern.', '^libs/testing/src/', [
    kernel,
    '^libs/(testing|core)/',
    '^libs/foundation/',
  ]),
];

const entryOnly = [
  never(
    'through-the-entry',
    'Another package is imported by its name (an entry of its `exports`), never by a path into it.',
    { path: '^(apps|test|bench|tools)/' },
    { path: '^libs/', pathNot: entries },
  ),
  never(
    'through-the-entry-of-another',
    'Another package is imported by its name (an entry of its `exports`), never by a path into it.',
    { path: '^(libs/(?:kernel|core|cli|testing)|libs/[^/]+/[^/]+)/' },
    { path: '^libs/', pathNot: ['^$1/', ...entries] },
  ),
  never(
    'sources-without-specs',
    'Sources import no spec and no fixture.',
    { path: '^(libs|apps)/.+/src/' },
    { path: '/test/|[.]spec[.]ts$' },
  ),
  never(
    'libs-without-apps',
    'A package, its specs included, knows no app.',
    { path: '^libs/' },
    { path: '^(apps|test|bench)/' },
  ),
];

const owned = [
  never(
    'pino-is-the-loggers',
    'Only @core-infra/logger knows pino; everything else uses Nest’s Logger.',
    { path: '^(libs|apps)/', pathNot: '^libs/foundation/logger/' },
    { path: 'node_modules/(pino|pino-[^/]+|nestjs-pino)/' },
  ),
  never(
    'telemetry-is-observabilitys',
    'Only @core-infra/observability knows prom-client and OpenTelemetry; everything else emits on diagnostics channels.',
    { path: '^(libs|apps)/', pathNot: '^libs/foundation/observability/' },
    { path: 'node_modules/(prom-client|@opentelemetry)/' },
  ),
];

const declared = [
  never(
    'declared-dependency',
    'What a source imports is in the package.json of its own package.',
    { path: '^(libs|apps)/.+/src/' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  ),
  never(
    'no-dev-dependency',
    'What a source needs when it runs is not a dev dependency.',
    { path: '^(libs|apps)/.+/src/' },
    { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only', 'npm', 'npm-peer', 'npm-optional'] },
  ),
  // Our own packages resolve to sources, so dependency-cruiser does not see them as dependencies.
  ...[...packages, ...folders('apps')].map(folder =>
    never(
      'declared-package',
      `What ${folder} imports of this repository is in its package.json.`,
      { path: `^${escape(folder)}/src/` },
      { path: '^libs/', pathNot: [folder, ...declaredPackages(folder)].map(known => `^${escape(known)}/`) },
    ),
  ),
  never('resolvable', 'What is imported exists.', { path: outside }, { couldNotResolve: true }),
];

const drivers = '^libs/capabilities/[^/]+/src/drivers/';
const lazy = driversOnOthers();
const lazyFiles = lazy.map(file => `^${escape(file)}$`);

module.exports = {
  forbidden: [
    ...layers,
    ...entryOnly,
    ...owned,
    ...declared,
    never(
      'no-circular',
      'Modules that need each other when they run are one module, or lack one.',
      // Both sides of a relation name the other, in a function that TypeORM calls once all entities are loaded.
      { pathNot: '[.]entity[.]ts$' },
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    ...(lazy.length === 0
      ? []
      : [
          never(
            'drivers-are-loaded-lazily',
            'A driver that imports a connection is loaded by await import(), so that what is not used is never loaded.',
            { path: '^libs/capabilities/', pathNot: [specs, drivers].flat() },
            { path: lazyFiles, dynamic: false, dependencyTypesNot: ['type-only'] },
          ),
          never(
            'drivers-are-loaded-one-by-one',
            'A driver is drivers/<x>.ts and, if it has more, the folder drivers/<x>; it loads no other that imports a connection.',
            { path: '^libs/capabilities/([^/]+)/src/drivers/([^/.]+)([.]ts$|/)' },
            {
              path: lazyFiles,
              pathNot: '^libs/capabilities/$1/src/drivers/$2([.]ts$|/)',
              dynamic: false,
              dependencyTypesNot: ['type-only'],
            },
          ),
        ]),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)(dist|coverage)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['core-infra-source', 'import', 'require', 'node', 'default', 'types'],
    },
  },
};

function folders(folder) {
  const absolute = path.join(root, folder);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { withFileTypes: true })
    .filter(entry => entry.isDirectory() && entry.name !== 'node_modules')
    .map(entry => `${folder}/${entry.name}`);
}

function sourceEntries(folder) {
  return Object.values(manifests.get(folder).exports ?? {}).map(target =>
    path.posix.join(folder, typeof target === 'string' ? target : (target['core-infra-source'] ?? target.default)),
  );
}

function declaredPackages(folder) {
  const file = path.join(root, folder, 'package.json');
  const { dependencies, peerDependencies } = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : {};
  const names = new Set(Object.keys({ ...dependencies, ...peerDependencies }));
  return packages.filter(other => names.has(manifests.get(other).name));
}

function driversOnOthers() {
  return folders('libs/capabilities').flatMap(folder => {
    const drivers = path.join(root, folder, 'src', 'drivers');
    if (!existsSync(drivers)) return [];
    return readdirSync(drivers, { recursive: true })
      .filter(name => name.endsWith('.ts'))
      .filter(name => /from '@core-infra\/(?!kernel')/.test(readFileSync(path.join(drivers, name), 'utf8')))
      .map(name => `${folder}/src/drivers/${name.split(path.sep).join('/')}`);
  });
}

function escape(text) {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
