'use strict';

// Holds docker-compose.yml, or the files named, against the schema of the Compose Specification (tools/compose/).

const Ajv2020 = require('ajv/dist/2020');
const addFormats = require('ajv-formats');
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { parse } = require('yaml');
const { root } = require('../runner/paths.js');

/** What is wrong with a Compose file, a line for each; none where nothing is. */
function problemsOf(text) {
  const schema = JSON.parse(readFileSync(path.join(root, 'tools/compose/compose-spec.json'), 'utf8'));
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  if (validate(parse(text))) return [];
  return validate.errors.map(
    ({ instancePath, message, params }) => `${instancePath || '/'} ${message} ${JSON.stringify(params)}`,
  );
}

function main(files) {
  for (const file of files) {
    for (const problem of problemsOf(readFileSync(path.resolve(root, file), 'utf8'))) {
      console.error(`${file}: ${problem}`);
      process.exitCode = 1;
    }
  }
}

if (require.main === module) main(process.argv.length > 2 ? process.argv.slice(2) : ['docker-compose.yml']);

module.exports = { problemsOf };
