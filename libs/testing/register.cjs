/**
 * Runs TypeScript as it is: `node --conditions=core-infra-source --require @core-infra/testing/register app.ts`.
 *
 * For children of specs, for tools and for `npm run dev:services`; what is deployed is built. Compiles with SWC, with the
 * settings of jest.config.js (decorators with their metadata need it: Node's own type stripping has none), and finds
 * `./x.ts` where the source says `./x.js`. The condition `core-infra-source` takes the workspace's packages from source.
 */
'use strict';
const { readFileSync } = require('node:fs');
const Module = require('node:module');
const { fileURLToPath } = require('node:url');
const { transformSync } = require('@swc/core');
const options = require('./swc-options.cjs');

const isOurs = file => file.endsWith('.ts') && !/[\\/]node_modules[\\/]/.test(file);

const inherited = Module._extensions['.ts'];
Module._extensions['.ts'] = (module, filename) => {
  if (!isOurs(filename)) return inherited(module, filename);
  module._compile(transformSync(readFileSync(filename, 'utf8'), { ...options, filename }).code, filename);
};

Module.registerHooks({
  resolve(specifier, context, next) {
    const found = resolve(specifier, context, next);
    if (!isOurs(found.url)) return found;
    // To `require`, a format would mean that the extension above does not count.
    return { ...found, format: context.conditions.includes('import') ? 'module' : undefined };
  },
  load(url, context, next) {
    if (context.format !== 'module' || !isOurs(url)) return next(url, context);
    return { format: 'module', source: facade(fileURLToPath(url)), shortCircuit: true };
  },
});

/** What `import()` gets: the very module that `require` has or would get, so that no class exists twice. */
function facade(filename) {
  const names = Object.keys(require(filename)).filter(
    name => name !== 'default' && /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name),
  );
  return [
    `import { createRequire } from 'node:module';`,
    `const found = createRequire(import.meta.url)(${JSON.stringify(filename)});`,
    ...names.map((name, at) => `const export${at} = found[${JSON.stringify(name)}];`),
    `export { ${names.map((name, at) => `export${at} as ${name}`).join(', ')} };`,
    // As Node does for CommonJS: the default export is `module.exports`.
    'export default found;',
  ].join('\n');
}

function resolve(specifier, context, next) {
  try {
    return next(specifier, context);
  } catch (error) {
    const inSource = /^\.{1,2}\/.*\.js$/.test(specifier) && context.parentURL?.endsWith('.ts');
    if (!inSource) throw error;
    return next(specifier.replace(/\.js$/, '.ts'), context);
  }
}

process.setSourceMapsEnabled(true);
