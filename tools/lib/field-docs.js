'use strict';

const { globSync, readFileSync } = require('node:fs');
const path = require('node:path');
const ts = require('typescript');
const { root } = require('../runner/paths.js');

// What the TSDoc of a configuration class says: of the class, and of each of its fields.

let index;

/** Classes by name: `[{ file, text, fields: Map<name, { description, default }> }]`. Two packages may have classes of one name. */
function classIndex() {
  if (index) return index;
  index = new Map();
  for (const file of globSync('libs/**/src/**/*.ts', { cwd: root })) {
    const text = readFileSync(path.join(root, file), 'utf8');
    if (!/\bclass\b/.test(text)) continue;
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
    for (const node of source.statements.filter(ts.isClassDeclaration)) {
      if (!node.name) continue;
      const fields = new Map(
        node.members.filter(ts.isPropertyDeclaration).map(member => [member.name.getText(source), docOf(member)]),
      );
      const entry = { file, description: docOf(node).description, fields };
      index.set(node.name.text, [...(index.get(node.name.text) ?? []), entry]);
    }
  }
  return index;
}

function docOf(node) {
  const doc = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  const tag = doc?.tags?.find(({ tagName }) => tagName.text === 'default');
  return { description: textOf(doc?.comment), default: textOf(tag?.comment) || undefined };
}

const textOf = comment =>
  (ts.getTextOfJSDocComment(comment) ?? '')
    .replace(/\{@link\s+([^}|]+?)\s*(\|[^}]*)?\}/g, '`$1`')
    .replace(/\s+/g, ' ')
    .trim();

/** The class, then the classes that it extends. */
function* ancestry(Class) {
  for (let at = Class; typeof at === 'function' && at.name; at = Object.getPrototypeOf(at)) yield at;
}

function entriesOf(Class, folder) {
  return [...ancestry(Class)].flatMap(({ name }) => {
    const found = classIndex().get(name) ?? [];
    return found
      .filter(({ file }) => file.startsWith(`${folder}/`))
      .concat(found)
      .slice(0, 1);
  });
}

/**
 * What is said of a field, its default among it.
 * @throws when the text claims another default than the class has
 */
function fieldDoc(field, folder) {
  const docs = entriesOf(field.owner, folder).flatMap(({ fields }) => fields.get(field.key) ?? []);
  const doc = {
    description: docs.find(({ description }) => description)?.description ?? '',
    default: docs.find(one => one.default !== undefined)?.default,
  };
  const claimed = literal(doc.default);
  if (claimed !== undefined && JSON.stringify(claimed) !== JSON.stringify(field.default)) {
    throw new Error(
      `${field.owner.name}.${field.key} says "@default ${doc.default}", and its default is ${JSON.stringify(field.default)}.`,
    );
  }
  return doc;
}

/** What is said of a key that is no field, such as `url` where a DSN carries several. */
const keyDoc = (Class, key, folder) =>
  entriesOf(Class, folder).flatMap(({ fields }) => fields.get(key)?.description ?? [])[0] ?? '';

const classDoc = (Class, folder) => entriesOf(Class, folder)[0]?.description ?? '';

/** The value of `10_000`, `'info'`, `true`; undefined for words. */
function literal(text = '') {
  if (/^-?[\d_]+(\.\d+)?$/.test(text)) return Number(text.replaceAll('_', ''));
  if (text === 'true' || text === 'false') return text === 'true';
  return /^'([^']*)'$/.exec(text)?.[1];
}

/** A default as a reader should see it: words where it has words, else the value. */
function defaultText(field, doc) {
  if (doc.default !== undefined && literal(doc.default) === undefined && !/^[[{]/.test(doc.default))
    return { words: doc.default };
  return field.default === undefined || field.default === '' ? {} : { value: field.default };
}

module.exports = { classDoc, defaultText, fieldDoc, keyDoc };
