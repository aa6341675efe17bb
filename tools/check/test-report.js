'use strict';

// Prints how many specs passed and failed, from Jest's JSON: what .ci/run ends with. A spec file that could not run has no
// specs in the report, so it counts as one that failed; so does a run without a report.

const { readFileSync } = require('node:fs');

function countsOf(text) {
  if (!text.trim()) return { passed: 0, failed: 1 };
  const { numPassedTests, numFailedTests, numRuntimeErrorTestSuites, success } = JSON.parse(text);
  const failed = numFailedTests + numRuntimeErrorTestSuites;
  // Jest fails for other reasons too, such as an error in a global teardown or no specs at all.
  return { passed: numPassedTests, failed: failed === 0 && !success ? 1 : failed };
}

if (require.main === module) {
  const { passed, failed } = countsOf(readFileSync(process.argv[2], 'utf8'));
  console.log(`${passed} ${failed}`);
}

module.exports = { countsOf };
