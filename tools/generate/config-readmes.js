'use strict';

// The option tables in the packages' READMEs, between the two markers.

const { existsSync, readFileSync } = require('node:fs');
const path = require('node:path');
const { configSections } = require('../lib/config-sections.js');
const { defaultText, fieldDoc, keyDoc } = require('../lib/field-docs.js');
const { root } = require('../runner/paths.js');

const MARKED = /(<!-- options:start -->)[\s\S]*?(<!-- options:end -->)/;
const HEAD = ['| Key | Environment | Type | Default | Live | |', '|---|---|---|---|---|---|'];

async function run() {
  const byFolder = new Map();
  for (const one of await configSections()) byFolder.set(one.folder, [...(byFolder.get(one.folder) ?? []), one]);
  const files = [...byFolder].flatMap(([folder, sections]) => {
    const file = `${folder}/README.md`;
    const text = existsSync(path.join(root, file)) ? readFileSync(path.join(root, file), 'utf8') : '';
    if (!MARKED.test(text)) return [];
    const tables = sections.map(one => tableOf(one, sections.length > 1)).join('\n\n');
    return [[file, text.replace(MARKED, (_, start, end) => `${start}\n\n${tables}\n\n${end}`)]];
  });
  return Object.fromEntries(files);
}

function tableOf(one, titled) {
  const { section, Config, folder } = one;
  const { shapeOf } = require('@core-infra/kernel');
  const { fields } = shapeOf(Config);
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
function compoundRows({ Config, folder }) {
  const { shapeOf } = require('@core-infra/kernel');
  const groups = Map.groupBy(shapeOf(Config).compounds, ({ parse }) => parse);
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
