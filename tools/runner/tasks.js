'use strict';

const { existsSync, statSync } = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const { root } = require('./paths.js');

// A task is what it is about and the steps that it runs; a step is what follows `node` on the command line. Add yours here.

const script = (file, ...args) => ({ args: [file, ...args] });
const bin = (file, ...args) => script(path.join('node_modules', file), ...args);

/** A file that other files are loaded from as TypeScript, straight from source. */
const typescript = (file, ...args) => ({
  args: ['--conditions=core-infra-source', '-r', './libs/testing/register.cjs', file, ...args],
});

const specs = args => ({ args: ['--experimental-vm-modules', ...jestArguments(args)], env: { NODE_ENV: 'test' } });

/** Jest looks for a pattern anywhere in a path: `libs/cli` would be `libs/client` too, and `test` a folder of every package. */
function jestArguments(args) {
  const isValue = at => at > 0 && args[at - 1].startsWith('-');
  const paths = args.map((arg, at) =>
    isPath(arg) && !isValue(at) ? path.join(root, arg, isFolder(arg) ? '/' : '') : arg,
  );
  return [path.join('node_modules', 'jest', 'bin', 'jest.js'), ...paths];
}

const isPath = arg => !arg.startsWith('-') && existsSync(path.join(root, arg));
const isFolder = arg => statSync(path.join(root, arg)).isDirectory();

/** The specs of test/chaos, told by the environment how much: `--injections 1000 --brokers kafka,nats`. */
function chaos(args) {
  const { values } = parseArgs({ args, options: { injections: { type: 'string' }, brokers: { type: 'string' } } });
  const step = specs(['test/chaos']);
  const { injections, brokers } = values;
  return {
    ...step,
    env: {
      ...step.env,
      ...(injections && { CHAOS_INJECTIONS: injections }),
      ...(brokers && { CHAOS_BROKERS: brokers }),
    },
  };
}

const prettier = (...args) => bin('prettier/bin/prettier.cjs', ...args);

const nest = (...args) => bin('@nestjs/cli/bin/nest.js', ...args);

const tasks = {
  start: {
    about: 'the sample apps, on servers that need no installation',
    steps: args => [
      nest('build', 'orders-api', 'orders-worker'),
      { ...typescript('tools/start/main.js', ...args), stay: true },
    ],
  },
  'start:dev': {
    about: 'the same, compiled and started anew on every edit',
    steps: () => [{ ...typescript('tools/start/main.js', '--watch'), stay: true }],
  },
  test: { about: 'every spec, or those under the given paths', steps: args => [specs(args)] },
  chaos: {
    about: 'kills under load: chaos [--injections 1000] [--brokers kafka,nats]',
    steps: args => [chaos(args)],
  },
  bench: {
    about: 'the benchmarks, on built files as a service runs them',
    steps: args => [
      script('tools/build.js', 'libs'),
      bin('typescript/bin/tsc', '-p', 'bench/tsconfig.json'),
      { ...script('dist/bench/main.js', ...args), env: { NODE_ENV: 'production' }, stay: true },
    ],
  },
  build: {
    about: 'packages and apps, or the one named: build [libs | <app>] [--clean]',
    steps: args => [script('tools/build.js', ...args)],
  },
  lint: { about: 'oxlint, with type-aware rules', steps: args => [bin('oxlint/bin/oxlint', '--type-aware', ...args)] },
  format: {
    about: 'prettier --write',
    steps: args => [prettier('--write', '--log-level=warn', ...(args.length ? args : ['.']))],
  },
  'format:check': { about: 'prettier --check', steps: () => [prettier('--check', '--log-level=warn', '.')] },
  typecheck: {
    about: 'tsc --noEmit',
    steps: args => [bin('typescript/bin/tsc', '--noEmit', '-p', 'tsconfig.json', ...args)],
  },
  generate: {
    about: 'what is derived from the sources; -- --check fails where it is stale',
    steps: args => [typescript('tools/generate.js', ...args)],
  },
  check: {
    about: 'boundary, knip, generated, compose, snippets, packages: all, or those named',
    steps: args => [script('tools/check.js', ...args)],
  },
  'dev:services': {
    about: 'the servers that the samples use, until Ctrl-C',
    steps: args => [{ ...typescript('libs/testing/src/dev-services/main.ts', ...args), stay: true }],
  },
};

module.exports = { tasks };
