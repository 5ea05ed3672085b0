import Driver from 'libsql';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase } from '../../../src/store/sqlite/database.js';
import type { Database, Statement } from '../../../src/store/sqlite/database.js';

let directory: string;
let path: string;
let database: Database;
let say: Statement<never>;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-database-'));
  path = join(directory, 'store.db');
  database = await openDatabase(path, { patienceMs: 400, steps: ['CREATE TABLE said (what TEXT UNIQUE) STRICT'] });
  say = database.prepare('INSERT INTO said VALUES (?)');
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

test('writes of one moment share a transaction, and each gets its own result', async () => {
  const before = commits();

  const results = await Promise.all(['a', 'b', 'c'].map((what) => database.write(() => say.run(what) && what.toUpperCase())));

  expect(results).toEqual(['A', 'B', 'C']);
  expect(said()).toEqual(['a', 'b', 'c']);
  expect(commits() - before).toBe(1);
});

test('a write that fails fails alone', async () => {
  const results = await Promise.allSettled(['a', 'b', 'a', 'c'].map((what) => database.write(() => say.run(what))));

  expect(results.map((result) => result.status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(said()).toEqual(['a', 'b', 'c']);
});

test('a write waits for another process, and the event loop goes on', async () => {
  const patient = await openDatabase(path, { patienceMs: 60_000, steps: ['already there'] });
  const sayPatiently = patient.prepare('INSERT INTO said VALUES (?)');
  const release = lock();
  let isWritten = false;
  const writing = patient.write(() => sayPatiently.run('patience')).then(() => (isWritten = true));
  for (let beats = 0; beats < 20; beats++) await sleep(10);
  expect(isWritten).toBe(false);
  release();

  await writing;

  expect(said()).toEqual(['patience']);
  await patient.close();
});

test('a store that stays busy is reported, and works again when it is free', async () => {
  const release = lock();
  const writes = await Promise.allSettled(['a', 'b', 'c'].map((what) => database.write(() => say.run(what))));
  release();
  await database.write(() => say.run('d'));

  for (const write of writes) {
    expect(write).toMatchObject({ status: 'rejected', reason: { type: 'Store.Unavailable', nonRetryable: false } });
  }
  expect(said()).toEqual(['d']);
});

test('reading goes on while another process writes', async () => {
  await database.write(() => say.run('before'));
  const release = lock();

  expect(await database.read(said)).toEqual(['before']);

  release();
});

test('closing finishes what was begun and refuses what comes later', async () => {
  const writing = database.write(() => say.run('last words'));
  await Promise.all([database.close(), database.close()]);

  await writing;
  await expect(database.write(() => say.run('too late'))).rejects.toMatchObject({ type: 'Store.Unavailable' });
  await expect(database.read(said)).rejects.toMatchObject({ type: 'Store.Unavailable' });
  const again = await openDatabase(path, { steps: ['already there'] });
  expect(again.prepare('SELECT what FROM said').all()).toEqual([expect.objectContaining({ what: 'last words' })]);
  await again.close();
});

function said(): string[] {
  return database
    .prepare<{ what: string }>('SELECT what FROM said ORDER BY what')
    .all()
    .map(({ what }) => what);
}

/** Transactions seen by another connection. */
function commits(): number {
  observer ??= new Driver(path);
  return (observer.prepare('PRAGMA data_version').get() as { data_version: number }).data_version;
}
let observer: Driver.Database | undefined;

/** Holds the write lock until the returned function is called. */
function lock(): () => void {
  const other = new Driver(path);
  other.exec('BEGIN IMMEDIATE');
  return () => {
    other.exec('ROLLBACK');
    other.close();
  };
}
