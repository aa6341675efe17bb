'use strict';

// The option tables: in a package's README between `<!-- options:start -->` and `<!-- options:end -->`, of all its sections but those which a page
// of docs/, or the README itself, shows at a place of its own, between `<!-- options:start <section> -->` and `<!-- options:end -->`. So may be a
// group of a section's keys: `<!-- options:start <section>.<group> -->`.

const { existsSync, globSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { configSections } = require('../lib/config-sections.js');
const { defaultText, fieldDoc, keyDoc } = require('../lib/field-docs.js');
const { root } = require('../runner/paths.js');

const MARKED = /(<!-- options:start(?: ([\w.]+))? -->)[\s\S]*?(<!-- options:end -->)/g;
const HEAD = ['| Key | Environment | Type | Default | Live | |', '|---|---|---|---|---|---|'];

async function run() {
  const { shapeOf } = require('@core-infra/kernel');
  const all = (await configSections()).map(one => ({ ...one, ...shapeOf(one.Config) }));
  const readmes = Map.groupBy(all, ({ folder }) => `${folder}/README.md`);
  const files = [...readmes.keys(), ...globSync('docs/*.md', { cwd: root })].filter(file =>
    existsSync(path.join(root, file)),
  );
  const texts = new Map(files.map(file => [file, readFileSync(path.join(root, file), 'utf8')]));
  const named = [...texts.values()].flatMap(text => [...text.matchAll(MARKED)].flatMap(([, , name]) => name ?? []));
  const tablesOf = (file, name) => {
    if (name === undefined) {
      const here = readmes.get(file) ?? [];
      return only(here, key => !named.some(one => isWithin(one, key))).map(one => tableOf(one, here.length > 1));
    }
    const found = only(all, key => isWithin(name, key));
    if (found.length === 0) throw new Error(`${file}: there are no options "${name}" for its table.`);
    return found.map(one => tableOf(name === one.section ? one : { ...one, compounds: [] }, false));
  };
  return Object.fromEntries(
    [...texts]
      .filter(([, text]) => text.search(MARKED) >= 0)
      .map(([file, text]) => [
        file,
        text.replace(MARKED, (_, start, name, end) => `${start}\n\n${tablesOf(file, name).join('\n\n')}\n\n${end}`),
      ]),
  );
}

const isWithin = (name, key) => `${key}.`.startsWith(`${name}.`);

/** Of these sections the fields that `shows` wants, and the sections that have any. */
const only = (sections, shows) =>
  sections
    .map(one => ({ ...one, fields: one.fields.filter(field => shows(`${one.section}.${field.path}`)) }))
    .filter(({ fields }) => fields.length > 0);

function tableOf(one, titled) {
  const { section, fields, folder } = one;
  const rows = [...compoundRows(one), ...fields.map(field => rowOf(section, field, fieldDoc(field, folder)))];
  const title = titled ? [`Section \`${section}\`:`, ''] : [];
  return [...title, ...HEAD, ...rows.map(cells => `| ${cells.map(escaped).join(' | ')} |`)].join('\n');
}

function rowOf(section, field, doc) {
  const { envSpellings } = require('@core-infra/config');
  const env = envSpellings(section, field).map(({ names, unit }) => {
    const spelled = names.map(name => `\`${name}\``).join(' + ');
    return unit ? `${spelled} (${unit})` : spelled;
  });
  const aliases = field.aliases.map(({ key, unit }) => `\`${key}\`${unit ? ` (${unit})` : ''}`);
  const { words, value } = defaultText(field, doc);
  return [
    [`\`${field.path}\``, ...aliases].join(', '),
    env.join(', '),
    typeOf(field),
    words ??
      (value === undefined || field.secret ? '' : `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``),
    field.live ? 'yes' : '',
    doc.description,
  ];
}

/** Settings that carry several fields: one row for the variables and keys that are read alike. */
function compoundRows({ Config, compounds, folder }) {
  const groups = Map.groupBy(compounds, ({ parse }) => parse);
  return [...groups.values()].map(group => {
    const names = wanted => group.filter(({ kind }) => kind === wanted).map(({ name }) => name);
    const texts = names('key').map(key => keyDoc(Config, key, folder));
    const about = texts.toSorted((a, b) => b.length - a.length)[0];
    const list = wanted =>
      names(wanted)
        .map(name => `\`${name}\``)
        .join(', ');
    return [list('key'), list('env'), 'text', '', '', about || 'Carries several of the other keys.'];
  });
}

function typeOf(field) {
  const { kind, dimension, choices, min, max, secret } = field;
  const range =
    min !== undefined && max !== undefined
      ? ` ${min}–${max}`
      : min !== undefined
        ? ` ≥ ${min}`
        : max !== undefined
          ? ` ≤ ${max}`
          : '';
  const type =
    choices && kind !== 'list'
      ? choices.map(choice => `\`${choice}\``).join(' ')
      : dimension === 'duration'
        ? `ms${range}`
        : dimension === 'size'
          ? `bytes${range}`
          : kind + range;
  const required = !field.optional && field.default === undefined;
  return [type, secret && 'secret', required && 'required'].filter(Boolean).join(', ');
}

const escaped = cell => cell.replaceAll('|', '\\|');

module.exports = { name: 'config-readmes', run };
