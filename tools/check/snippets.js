'use strict';

// Type-checks the TypeScript in Markdown: of the root, of docs/ and of the packages' and apps' READMEs, all together, against the sources. Errors are
// told by the file and line of the Markdown. A snippet is compiled as a file beside its document, so relative imports go
// from there; a fence ```ts file=orders.module.ts is a file of that name, which the snippets beside it can import. A fence
// ```ts no-check is left alone.

const { globSync, readFileSync } = require('node:fs');
const path = require('node:path');
const ts = require('typescript');
const { compilerOptions } = require('../lib/compiler-options.js');
const { root } = require('../runner/paths.js');

const FENCE = /^(?<indent>[ \t]*)```(?:ts|typescript)(?<info>[^\S\n][^\n]*)?\n(?<code>[\s\S]*?)^\k<indent>```[ \t]*$/gm;

/** The snippets of a document: where each stands, and the path that it is compiled as. */
function snippetsOf(document, text) {
  const folder = path.join(root, path.dirname(document));
  return [...text.matchAll(FENCE)]
    .filter(({ groups }) => !/\bno-check\b/.test(groups.info ?? ''))
    .map(({ groups, index }) => {
      const line = text.slice(0, index).split('\n').length;
      const name = /\bfile=(\S+)/.exec(groups.info ?? '')?.[1] ?? `${path.basename(document)}.line-${line}.ts`;
      return { document, line, file: path.join(folder, name), code: groups.code };
    });
}

/** What the compiler says about the snippets, one line each, by the documents' own lines. */
function problemsOf(snippets) {
  const byFile = new Map(snippets.map(snippet => [snippet.file, snippet]));
  const folders = new Set(snippets.flatMap(({ file }) => ancestors(path.dirname(file))));
  const options = compilerOptions({
    noEmit: true,
    declaration: false,
    // One snippet's names are not the next one's.
    moduleDetection: ts.ModuleDetectionKind.Force,
  });
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, directoryExists } = host;
  host.fileExists = file => byFile.has(file) || fileExists.call(host, file);
  host.readFile = file => byFile.get(file)?.code ?? readFile.call(host, file);
  host.directoryExists = folder => folders.has(folder) || directoryExists.call(host, folder);
  host.getSourceFile = sourceFiles(host);
  const program = ts.createProgram([...byFile.keys()], options, host);
  return [...byFile.values()].flatMap(snippet => {
    const file = program.getSourceFile(snippet.file);
    return [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)].map(
      ({ start, messageText }) => {
        const line = snippet.line + 1 + file.getLineAndCharacterOfPosition(start).line;
        return `${snippet.document}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n  ')}`;
      },
    );
  });
}

function sourceFiles(host) {
  return (file, languageVersion) => {
    const text = host.readFile(file);
    return text === undefined ? undefined : ts.createSourceFile(file, text, languageVersion, true);
  };
}

function ancestors(folder) {
  return folder === root ? [] : [folder, ...ancestors(path.dirname(folder))];
}

function main() {
  const documents = globSync(['*.md', '{docs,bench}/**/*.md', '{libs,apps}/*/README.md', 'libs/*/*/README.md'], {
    cwd: root,
  }).sort();
  const snippets = documents.flatMap(document => snippetsOf(document, readFileSync(path.join(root, document), 'utf8')));
  const problems = problemsOf(snippets);
  for (const problem of problems) console.error(problem);
  console.log(`${snippets.length} snippets in ${documents.length} documents, ${problems.length} problems`);
  if (problems.length > 0) process.exitCode = 1;
}

if (require.main === module) main();

module.exports = { problemsOf, snippetsOf };
