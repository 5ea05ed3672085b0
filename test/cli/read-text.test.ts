import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readStandardInput, readTextFile } from '../../src/cli/read-text.js';
import { temporaryDirectory } from '../support/temporary.js';

test('a file is read as it is, without a byte order mark', async () => {
  await using directory = await temporaryDirectory();
  await writeFile(join(directory.path, 'notes.md'), '\ufeff# Tea\n\nEin Schälchen.\n');

  expect(await readTextFile('notes.md', { cwd: directory.path })).toBe('# Tea\n\nEin Schälchen.\n');
});

test.each([
  [
    'a file that is not there',
    'none.md',
    'Input.Invalid',
    '"none.md" cannot be read: there is no such file. Correct the path and try again.',
  ],
  ['a directory', 'folder', 'Input.Invalid', '"folder" is a directory. Name a file in it.'],
  ['what is not UTF-8', 'latin', 'Input.Invalid', '"latin" is not text in UTF-8. Turn it into plain text or Markdown first.'],
  ['binary data', 'zeros', 'Input.Invalid', '"zeros" is not text in UTF-8. Turn it into plain text or Markdown first.'],
  ['an empty file', 'empty', 'Input.Invalid', '"empty" is empty.'],
  [
    'a file that is too large',
    'large',
    'Input.TooLarge',
    '"large" has 2,000 bytes; at most 1,000 can be sent. Shorten it, or let an agent read it with a tool.',
  ],
])('%s is one clear message', async (_, path, type, message) => {
  await using directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'folder'));
  await writeFile(join(directory.path, 'latin'), Buffer.from([0x53, 0xe4, 0x74, 0x7a, 0x65]));
  await writeFile(join(directory.path, 'zeros'), Buffer.alloc(10));
  await writeFile(join(directory.path, 'empty'), ' \n');
  await writeFile(join(directory.path, 'large'), 'x'.repeat(2000));

  await expect(readTextFile(path, { cwd: directory.path }, 1000)).rejects.toMatchObject({ type, message });
});

test('standard input is read to its end, and no further than what can be sent', async () => {
  const pieces = async function* () {
    yield Buffer.from('one ');
    yield 'two';
  };

  expect(await readStandardInput({ stdin: pieces() })).toBe('one two');
  await expect(readStandardInput({ stdin: pieces() }, 5)).rejects.toMatchObject({ type: 'Input.TooLarge' });
});
