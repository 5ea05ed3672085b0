import { expect, test } from 'vitest';
import { id, names, position, quoted, span, wholeNumber, wordsOf } from '../../src/cli/options.js';

test.each(['0', '-1', '1.5', 'x', '', '1e3', '9007199254740993'])('%j is no whole number of at least 1', (text) => {
  expect(() => wholeNumber(text)).toThrow('whole number of at least 1');
});

test.each(['5', '', 'soon', '0s', '-1s', '5 parsecs'])('%j is no span of time', (text) => {
  expect(() => span(text)).toThrow('span of time');
});

test('values are read as they are meant', () => {
  expect(wholeNumber('12')).toBe(12);
  expect(position('0')).toBe(0);
  expect(span(' 90 seconds')).toBe('90 seconds');
  expect(names('a, b', ['x'])).toEqual(['x', 'a', 'b']);
  expect(id('article/1')).toBe('article/1');
});

test('a missing name in a list, and an id that nobody could type, are refused', () => {
  expect(() => names('a,,b')).toThrow('separated by commas');
  expect(() => id(' ')).toThrow('workflow id');
  expect(() => id('a\nb')).toThrow('workflow id');
});

test('a command to type next names the same place, and survives a shell', () => {
  const words = ['npx', 'ostinato', 'say', 'session/w/1', 'Make it shorter.', ...wordsOf({ dataDir: '/tmp/my data', json: true })];

  expect(quoted(words)).toBe('npx ostinato say session/w/1 "Make it shorter." --data-dir "/tmp/my data"');
  expect(quoted(["it's $5"])).toBe(`'it'\\''s $5'`);
});
