import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { withLock } from '../../src/dev/lock.js';
import { eventually } from '../support/eventually.js';
import { hold } from '../support/processes.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-lock-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('work under the same lock is done one at a time', async () => {
  const file = join(directory, 'one');
  let atOnce = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    most = Math.max(most, ++atOnce);
    await sleep(20);
    atOnce--;
  };

  await Promise.all([withLock(file, work), withLock(file, work), withLock(file, work)]);

  expect(most).toBe(1);
});

test('work that fails lets go of the lock', async () => {
  const file = join(directory, 'failing');

  await expect(withLock(file, () => Promise.reject(new Error('no')))).rejects.toThrow('no');

  expect(await withLock(file, async () => 'next', { timeoutMs: 0 })).toBe('next');
});

test('a process that is killed lets go of the lock at that moment, and whoever waits is told so', async () => {
  const file = join(directory, 'killed');
  const holder = await hold('lock', file);
  const waits: number[] = [];

  const next = withLock(file, async () => 'mine', { onWait: (seconds) => waits.push(seconds) });
  await eventually(() => expect(waits).not.toEqual([]));
  await holder.kill();

  expect(await next).toBe('mine');
  expect(waits[0]).toBe(1);
});

test('a lock that is never let go of ends the wait with what to do', async () => {
  const file = join(directory, 'kept');

  const error: unknown = await withLock(file, () => withLock(file, async () => 'never', { timeoutMs: 200 })).catch((e: unknown) => e);

  expect(failureOf(error)).toMatchObject({
    type: 'Connection.Failed',
    message: expect.stringContaining('still locked by another process'),
  });
});
