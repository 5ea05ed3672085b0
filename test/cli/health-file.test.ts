import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { keepHealthFile } from '../../src/cli/health-file.js';
import { temporaryDirectory } from '../support/temporary.js';

afterEach(() => void vi.useRealTimers());

test('it is written anew every five seconds, and gone at the end', async () => {
  await using directory = await temporaryDirectory();
  const file = join(directory.path, 'health');
  vi.useFakeTimers({ now: 0, toFake: ['Date', 'setInterval', 'clearInterval'] });

  const stop = keepHealthFile(file);
  expect(readFileSync(file, 'utf8')).toBe('1970-01-01T00:00:00.000Z\n');
  vi.advanceTimersByTime(10_000);
  expect(readFileSync(file, 'utf8')).toBe('1970-01-01T00:00:10.000Z\n');

  await stop();
  vi.advanceTimersByTime(10_000);
  expect(existsSync(file)).toBe(false);
});

test('one that cannot be written is refused at once; one that no longer can ends nothing', async () => {
  await using directory = await temporaryDirectory();
  const missing = join(directory.path, 'missing', 'health');
  expect(() => keepHealthFile(missing)).toThrow(/The health file cannot be written .*missing.* Correct --health-file, or leave it out\./);

  const file = join(directory.path, 'health');
  vi.useFakeTimers();
  const stop = keepHealthFile(file);
  await directory[Symbol.asyncDispose]();
  vi.advanceTimersByTime(10_000);

  expect(existsSync(file)).toBe(false);
  await stop();
});
