'use strict';

// docs/config.schema.json: what may stand in configuration files, over all sections of all packages.

const { configSections } = require('../lib/config-sections.js');
const { fieldDoc } = require('../lib/field-docs.js');

async function run() {
  const { jsonSchemaOf } = require('@core-infra/config');
  const sections = await configSections();
  const declared = new Map();
  for (const { section, Config } of sections) declared.set(section, [...(declared.get(section) ?? []), Config]);
  const folders = new Map(sections.flatMap(({ Config, folder }) => ownersOf(Config).map(owner => [owner, folder])));
  const schema = jsonSchemaOf(declared, field => fieldDoc(field, folders.get(field.owner) ?? ''));
  return { 'docs/config.schema.json': JSON.stringify(schema, null, 2) };
}

function ownersOf(Config) {
  const { shapeOf } = require('@core-infra/kernel');
  return shapeOf(Config).fields.map(({ owner }) => owner);
}

module.exports = { name: 'config-schema', run };
