'use strict';

// A plugin of Nest's CLI (nest-cli.json): imports of this repository's packages become relative paths in an app's dist/,
// so that the app runs on what was compiled with it. Nest's own rewriting leaves an import alone as soon as the package
// can be resolved, hence as soon as libs/*/dist was ever built, and the app would run on those files, however old; nor
// does it look at `import()`.

const path = require('node:path');
const ts = require('typescript');

function before(_options, program) {
  const compilerOptions = program.getCompilerOptions();
  // The packages of this repository are those that tsconfig.json has a path of.
  const ours = Object.keys(compilerOptions.paths ?? {}).map(pattern => pattern.split('*', 1)[0]);
  const cache = ts.createModuleResolutionCache(program.getCurrentDirectory(), name => name, compilerOptions);

  return context => file => {
    const relative = specifier => {
      if (!specifier || !ts.isStringLiteral(specifier) || !ours.some(name => specifier.text.startsWith(name)))
        return undefined;
      const { resolvedModule } = ts.resolveModuleName(specifier.text, file.fileName, compilerOptions, ts.sys, cache);
      // Whatever is not a source of ours is resolved by Node when it runs.
      if (!resolvedModule || !/(?<!\.d)\.ts$/.test(resolvedModule.resolvedFileName)) return undefined;
      const target = path.relative(path.dirname(file.fileName), resolvedModule.resolvedFileName).replaceAll('\\', '/');
      return context.factory.createStringLiteral(
        `${target.startsWith('.') ? '' : './'}${target.replace(/\.ts$/, '.js')}`,
      );
    };
    const visit = node => ts.visitEachChild(rewritten(node, relative, context.factory), visit, context);
    return ts.visitNode(file, visit);
  };
}

function rewritten(node, relative, factory) {
  if (ts.isImportDeclaration(node)) {
    const to = relative(node.moduleSpecifier);
    return to ? factory.updateImportDeclaration(node, node.modifiers, node.importClause, to, node.attributes) : node;
  }
  if (ts.isExportDeclaration(node)) {
    const to = relative(node.moduleSpecifier);
    return to
      ? factory.updateExportDeclaration(node, node.modifiers, node.isTypeOnly, node.exportClause, to, node.attributes)
      : node;
  }
  if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
    const to = relative(node.arguments[0]);
    return to ? factory.updateCallExpression(node, node.expression, node.typeArguments, [to]) : node;
  }
  return node;
}

module.exports = { before };
