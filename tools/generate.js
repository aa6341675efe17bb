'use strict';

// Writes what is derived from the sources; with --check it writes nothing and fails with the list of what is stale.
//   npm run generate [-- --check] [step ...]
//
// A step is a file of tools/generate/ which exports `{ name, run, folder? }`: `run()` resolves with the text of each file
// by its path from the root, and `folder`, if given, is one that holds nothing but what the step writes. Text goes
// through Prettier where Prettier minds the file. Packages can be required by name: they are loaded from source.

const { existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } = require('node:fs');
const path = require('node:path');
const prettier = require('prettier');
const { root } = require('./runner/paths.js');

async function main(args) {
  const check = args.includes('--check');
  const wanted = args.filter(arg => !arg.startsWith('-'));
  const stale = [];
  for (const step of steps().filter(({ name }) => wanted.length === 0 || wanted.includes(name))) {
    const files = Object.entries(await step.run());
    const written = new Map(await Promise.all(files.map(async ([file, text]) => [file, await formatted(file, text)])));
    for (const file of step.folder ? globSync(`${step.folder}/**/*.*`, { cwd: root }) : [])
      if (!written.has(file)) written.set(file, undefined);
    for (const [file, text] of written) if (current(file) !== text) stale.push({ file, text });
  }
  if (!check) for (const { file, text } of stale) write(file, text);
  for (const { file, text } of stale)
    console.log(`${check ? 'stale  ' : text === undefined ? 'removed' : 'written'}  ${file}`);
  if (stale.length === 0) console.log('Everything generated is up to date.');
  if (!check || stale.length === 0) return;
  console.error('What is generated differs from its sources. Run: npm run generate');
  process.exitCode = 1;
}

function steps() {
  const folder = path.join(__dirname, 'generate');
  const files = readdirSync(folder).filter(file => file.endsWith('.js'));
  return files.sort().map(file => require(path.join(folder, file)));
}

async function formatted(file, text) {
  const absolute = path.join(root, file);
  const { ignored, inferredParser } = await prettier.getFileInfo(absolute, {
    ignorePath: path.join(root, '.prettierignore'),
  });
  if (ignored || !inferredParser) return text;
  return prettier.format(text, { ...(await prettier.resolveConfig(absolute)), filepath: absolute });
}

function current(file) {
  const absolute = path.join(root, file);
  return existsSync(absolute) ? readFileSync(absolute, 'utf8') : undefined;
}

function write(file, text) {
  const absolute = path.join(root, file);
  if (text === undefined) return rmSync(absolute);
  mkdirSync(path.dirname(absolute), { recursive: true });
  return writeFileSync(absolute, text);
}

void main(process.argv.slice(2));
