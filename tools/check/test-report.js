'use strict';

// What .ci/run reads from Jest's JSON. `count <report> [<second report>]` prints how many specs passed and failed; a spec file that could not
// run has no specs in the report, so it counts as one that failed; so does a run without a report. `again <report>` prints the spec files that are worth a second
// run, alone; the second report then stands in the place of the first for those files.

const { readFileSync } = require('node:fs');
const path = require('node:path');

/** More files than so many do not fail by their neighbours' load: something is broken. */
const FEW = 3;

function countsOf(text, secondText = '') {
  if (!text.trim()) return { passed: 0, failed: 1 };
  const report = JSON.parse(text);
  const again = secondText.trim() ? JSON.parse(secondText).testResults : [];
  const repeated = new Set(again.map(({ name }) => name));
  const files = [...report.testResults.filter(({ name }) => !repeated.has(name)), ...again];
  const counts = { passed: 0, failed: 0 };
  for (const { status, assertionResults } of files) {
    const failed = assertionResults.filter(spec => spec.status === 'failed').length;
    counts.passed += assertionResults.filter(spec => spec.status === 'passed').length;
    counts.failed += failed === 0 && status === 'failed' ? 1 : failed;
  }
  // Jest fails for other reasons too, such as an error in a global teardown or no specs at all.
  const explained = report.success || report.testResults.some(({ status }) => status === 'failed');
  return counts.failed === 0 && !explained ? { ...counts, failed: 1 } : counts;
}

/** The files in which something failed, if they are few. */
function filesToRepeat(text) {
  if (!text.trim()) return [];
  const failed = JSON.parse(text).testResults.filter(({ status }) => status === 'failed');
  return failed.length > FEW ? [] : failed.map(({ name }) => name);
}

if (require.main === module) {
  const [, , verb, ...reports] = process.argv;
  const texts = reports.map(file => readFileSync(file, 'utf8'));
  if (verb === 'again') for (const file of filesToRepeat(texts[0])) console.log(path.relative(process.cwd(), file));
  else {
    const { passed, failed } = countsOf(...texts);
    console.log(`${passed} ${failed}`);
  }
}

module.exports = { countsOf, filesToRepeat };
