// @ts-check
/** The closing line of continuous integration, from what the test runner wrote: `node scripts/summary.js RESULTS STATUS`. */
import { existsSync, readFileSync } from 'node:fs';

const [file = '', status = '1'] = process.argv.slice(2);
const results = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : undefined;
const {
  numPassedTests: passed,
  numFailedTests: failed,
  numPendingTests: skipped,
  numTodoTests: todo,
} = results ?? {
  numPassedTests: 0,
  numFailedTests: 0,
  numPendingTests: 0,
  numTodoTests: 0,
};
// A file that could not be loaded has failed without a test of its own.
const broken = (results?.testResults ?? []).filter(
  (/** @type {{ status: string, assertionResults: { status: string }[] }} */ suite) =>
    suite.status === 'failed' && !suite.assertionResults.some((test) => test.status === 'failed'),
);

const complaints = [
  results === undefined && 'The tests did not run: what stopped them is above.',
  results !== undefined && passed + failed === 0 && 'No test ran.',
  skipped + todo > 0 && `${skipped + todo} tests were skipped: what a test needs and does not find is an error here.`,
  ...broken.map((/** @type {{ name: string }} */ suite) => `${suite.name} did not finish.`),
  failed === 0 &&
    broken.length === 0 &&
    status !== '0' &&
    results !== undefined &&
    `Something beside the tests failed (exit ${status}): see above.`,
].filter(Boolean);

for (const complaint of complaints) console.error(complaint);
console.log(`${passed} passed, ${failed + broken.length} failed`);
process.exitCode = complaints.length > 0 || failed > 0 || status !== '0' ? 1 : 0;
