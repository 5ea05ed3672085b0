import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { loadConfig } from '../../src/config.js';
import { failureOf } from '../../src/contract/failure.js';
import { newKey } from '../../src/encryption/keys.js';

const directory = mkdtempSync(join(tmpdir(), 'ostinato-keys-'));
afterAll(() => rmSync(directory, { recursive: true }));

const base64 = (bytes: number) => Buffer.alloc(bytes, 7).toString('base64');
const idsIn = (env: Record<string, string>) =>
  loadConfig({}, env)
    .encryptionKeys()
    .map(({ id }) => id);

test('without a setting there are no keys', () => {
  expect(idsIn({})).toEqual([]);
});

test('keys come in their order, from the variable or from a file', () => {
  const file = join(directory, 'keys');
  writeFileSync(file, `# made in May\n${newKey('b')}\n${newKey('a')}\n`);

  expect(idsIn({ OSTINATO_ENCRYPTION_KEYS: `${newKey('b')}, ${newKey('a')}` })).toEqual(['b', 'a']);
  expect(idsIn({ OSTINATO_ENCRYPTION_KEYS_FILE: file })).toEqual(['b', 'a']);
});

test.each([
  ['too short', `a:${base64(16)}`, /key "a" has 16 bytes, not 32/],
  ['too long', `a:${base64(33)}`, /key "a" has 33 bytes, not 32/],
  ['no base64', 'a:not-a-key!', /key 1 has not the form id:key/],
  ['without an id', base64(32), /key 1 has not the form id:key/],
  ['two of one id', `a:${base64(32)},a:${base64(32)}`, /two keys are called "a"/],
  ['only a comment', '# later', /no key is there/],
])('%s is refused at the start, and no key is repeated', (_, keys, problem) => {
  const failure = refusalOf({ OSTINATO_ENCRYPTION_KEYS: keys });

  expect(failure).toMatchObject({ type: 'Input.Invalid', details: [expect.stringMatching(problem)] });
  for (const key of keys.split(/[,:]/)) if (key.length > 8) expect(failure.message).not.toContain(key);
});

test('a file that cannot be read, and both settings at once, are refused', () => {
  const OSTINATO_ENCRYPTION_KEYS_FILE = join(directory, 'none');

  expect(refusalOf({ OSTINATO_ENCRYPTION_KEYS_FILE }).message).toMatch(/none" cannot be read \(ENOENT\)/);
  expect(refusalOf({ OSTINATO_ENCRYPTION_KEYS: newKey(), OSTINATO_ENCRYPTION_KEYS_FILE }).message).toMatch(/set one of them/);
});

test('a printed config shows no key', () => {
  const key = newKey('a');
  const config = loadConfig({}, { OSTINATO_ENCRYPTION_KEYS: key });
  const printed = `${inspect(config, { depth: 9 })}${JSON.stringify(config)}${inspect(config.encryptionKeys())}${JSON.stringify(config.encryptionKeys())}`;

  expect(printed).not.toContain(key.slice(2));
});

function refusalOf(env: Record<string, string>) {
  try {
    loadConfig({}, env);
  } catch (error) {
    return failureOf(error);
  }
  return expect.fail('It was accepted.') as never;
}
