import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { exitCodeMeanings, exitCodeOf, exitCodeOfResult } from '../../src/cli/exit-codes.js';
import { failures } from '../../src/contract/failure.js';

test.each([
  ['Input.Invalid', 2],
  ['Input.UnknownAgent', 2],
  ['Run.AlreadyExists', 2],
  ['Run.NotFound', 4],
  ['State.NotFound', 4],
  ['State.Unreadable', 2],
  ['State.Mismatch', 2],
  ['Run.TimedOut', 5],
  ['Connection.Failed', 3],
  ['Store.Unavailable', 3],
  ['Run.Failed', 1],
  ['Model.Unavailable', 1],
  ['Own.Failure', 1],
])('%s ends the command with %i', (type, code) => {
  expect(exitCodeOf(type)).toBe(code);
});

test('a run that was stopped or cancelled is told from one that came to its end', () => {
  expect(exitCodeOfResult({ status: 'completed' })).toBe(0);
  expect(exitCodeOfResult({ status: 'stopped' })).toBe(6);
  expect(exitCodeOfResult({ status: 'cancelled' })).toBe(6);
});

test('every failure that we know has an exit code with a meaning', () => {
  for (const type of Object.keys(failures)) expect(exitCodeMeanings[exitCodeOf(type)], type).toMatch(/\w/);
});

test('docs/cli.md holds the table of exit codes', () => {
  const page = readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8');

  for (const [code, meaning] of Object.entries(exitCodeMeanings)) expect(page).toContain(`| ${code} | ${meaning} |`);
});
