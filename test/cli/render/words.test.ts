import { expect, test } from 'vitest';
import { ago, count, duration, outputText, short, summary, tokens } from '../../../src/cli/render/words.js';
import type { RunResult } from '../../../src/contract/run.js';

test.each([
  [400, '0.4 s'],
  [12_300, '12 s'],
  [185_000, '3 min 5 s'],
  [7_800_000, '2 h 10 min'],
  [3_600_000, '1 h'],
  [273_600_000, '3 d 4 h'],
])('%i ms are read as %s', (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test('a moment that has passed is told in its largest unit', () => {
  const now = Date.parse('2026-01-02T00:00:00Z');

  expect(ago('2026-01-01T23:59:58Z', now)).toBe('just now');
  expect(ago('2026-01-01T23:56:55Z', now)).toBe('3 min ago');
  expect(ago('2025-12-30T20:00:00Z', now)).toBe('2 d ago');
});

test('amounts are written as people write them', () => {
  expect(count(1, 'turn')).toBe('1 turn');
  expect(count(1234, 'turn')).toBe('1,234 turns');
  expect(tokens({ totalTokens: 1234, inputTokens: 1000, outputTokens: 234, modelCalls: 1 })).toBe('1,234 tokens (1,000 in, 234 out)');
});

test('a text is cut to one line', () => {
  expect(short('one\n two  three', 40)).toBe('one two three');
  expect(short('one two three', 8)).toBe('one two…');
});

const result: RunResult = {
  status: 'stopped',
  output: 'words',
  stopReason: { code: 'limit.turns', message: 'The limit of turns was reached.' },
  usage: { totalTokens: 3, inputTokens: 2, outputTokens: 1, modelCalls: 1 },
  rounds: 2,
};

test('the summary of a run that was stopped says why', () => {
  expect(summary(result, 4100)).toBe('stopped: The limit of turns was reached. · 2 turns · 3 tokens (2 in, 1 out) · 4.1 s');
  expect(summary({ ...result, status: 'completed' })).toBe('completed · 2 turns · 3 tokens (2 in, 1 out)');
});

test('an output that is no text is printed as JSON, and none as nothing', () => {
  expect(outputText({ output: 'as it is' })).toBe('as it is');
  expect(outputText({ output: { a: [1] } })).toBe('{\n  "a": [\n    1\n  ]\n}');
  expect(outputText({ output: null })).toBe('');
});
