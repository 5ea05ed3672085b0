import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { provide, type Way } from '../../src/dev/executable.js';

let cacheDir: string;
beforeEach(async () => {
  cacheDir = await mkdtemp(join(tmpdir(), 'ostinato-cache-'));
});
afterEach(() => rm(cacheDir, { recursive: true, force: true }));

const closed: Way = { name: 'the closed way', make: () => Promise.reject(new Error('it is closed')) };

function open(onMake: () => void = () => undefined): Way {
  return {
    name: 'the open way',
    async make(path) {
      onMake();
      await sleep(50);
      await writeFile(join(dirname(path), 'beside'), '');
      await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
    },
  };
}

test('an executable is made by the first way that works, with what belongs to it', async () => {
  const provided = await provide('tool', [closed, open()], { cacheDir, env: {} });

  expect(provided).toEqual({ path: join(cacheDir, 'tool', 'tool') });
  expect(await readdir(join(cacheDir, 'tool'))).toEqual(['beside', 'tool']);
});

test('it is made once, however many want it at the same time, and found from then on', async () => {
  let made = 0;
  const way = open(() => made++);
  const ask = () => provide('tool', [way], { cacheDir, env: {} });

  await Promise.all([ask(), ask(), ask()]);
  await ask();

  expect(made).toBe(1);
});

test('when no way works each says why, and nothing is left behind', async () => {
  const makesNothing: Way = { name: 'the empty way', make: async () => undefined };

  const provided = await provide('tool', [closed, makesNothing], { cacheDir, env: {} });

  expect(provided).toEqual({ reasons: ['the closed way: it is closed', 'the empty way: it made no executable'] });
  expect(await readdir(cacheDir)).toEqual(['tool.lock']);
});

test('what a killed process left behind is cleared away', async () => {
  await mkdir(join(cacheDir, 'tool.part-killed', 'lib'), { recursive: true });

  await provide('tool', [open()], { cacheDir, env: {} });

  expect(await readdir(cacheDir)).toEqual(['tool', 'tool.lock']);
});

test('a cache directory that cannot be made is named, with the setting to change', async () => {
  await writeFile(join(cacheDir, 'file'), '');

  const error: unknown = await provide('tool', [open()], { cacheDir: join(cacheDir, 'file', 'cache'), env: {} }).catch((e: unknown) => e);

  expect(failureOf(error)).toMatchObject({
    type: 'Input.Invalid',
    message: expect.stringContaining('Choose another one with OSTINATO_CACHE_DIR'),
  });
});
