import Driver from 'libsql';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open-store.js';
import { openDatabase } from '../../../src/store/sqlite/database.js';
import { applicationId, schemaSteps } from '../../../src/store/sqlite/schema.js';

const environment = { namespace: 'default', taskQueue: 'ostinato' };
const tea = `CREATE TABLE tea (name TEXT)`;
const price = `ALTER TABLE tea ADD COLUMN price INTEGER NOT NULL DEFAULT 3; CREATE INDEX tea_by_price ON tea (price)`;
let dataDir: string;
let path: string;

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ostinato-schema-'));
  path = join(dataDir, 'store.db');
});

afterEach(async () => {
  await rm(dataDir, { recursive: true, force: true });
});

test('a file of an older release is brought up to date with all that is in it', async () => {
  await writeFileWith(`${tea}; INSERT INTO tea VALUES ('sencha'); PRAGMA user_version = 1`);

  const database = await openDatabase(path, { steps: [tea, price] });

  expect(database.prepare('SELECT name, price FROM tea').get()).toMatchObject({ name: 'sencha', price: 3 });
  expect(database.prepare('PRAGMA user_version').get()).toMatchObject({ user_version: 2 });
  await database.close();
});

test('a step that fails leaves the file at the step before', async () => {
  await writeFileWith(`${tea}; PRAGMA user_version = 1`);

  await expect(openDatabase(path, { steps: [tea, 'CREATE TABLE pots (size TEXT)', 'CREATE TABLE tea (again TEXT)'] })).rejects.toThrow();

  const database = await openDatabase(path, { steps: [tea] });
  expect(database.prepare(`SELECT name FROM sqlite_schema WHERE name = 'pots'`).get()).toBeUndefined();
  await database.close();
});

test('a file of a newer release is refused and left as it is', async () => {
  await writeFileWith(`CREATE TABLE unheard_of (x); PRAGMA user_version = ${schemaSteps.length + 1}`);
  const before = await readFile(path);

  await expect(openStore({ dataDir, environment })).rejects.toMatchObject({
    type: 'State.Newer',
    message: expect.stringContaining('upgrade'),
  });

  expect(Buffer.compare(await readFile(path), before)).toBe(0);
});

test('a database of another program is refused and left as it is', async () => {
  await writeFileWith(`PRAGMA application_id = 0; CREATE TABLE notes (text)`);
  const before = await readFile(path);

  await expect(openStore({ dataDir, environment })).rejects.toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining('another program'),
  });

  expect(Buffer.compare(await readFile(path), before)).toBe(0);
});

test('what the first release wrote can be read', async () => {
  await writeFileWith(await readFile(new URL('../fixtures/schema-1.sql', import.meta.url), 'utf8'));

  const store = await openStore({ dataDir, environment });

  expect(await store.blobs.get('cfac0461d0e5963017d4cfbdf388ca69')).toBe('a segment');
  expect(await store.events.read({ workflowId: 'run', firstRunId: 'run-1' }, { epoch: 2, seq: 1 })).toEqual([
    { type: 'delta', at: '2026-01-02T03:04:05Z', text: 'two', seq: 2, epoch: 2, runId: 'run' },
  ]);
  await store.close();
});

test('what a release without doomed texts wrote can be read, and collected', async () => {
  await writeFileWith(await readFile(new URL('../fixtures/schema-2.sql', import.meta.url), 'utf8'));

  const store = await openStore({ dataDir, environment });
  const segment = 'cfac0461d0e5963017d4cfbdf388ca69';

  expect(await store.snapshots.all()).toMatchObject([{ id: 'a snapshot', turn: 2 }]);
  expect(await store.snapshots.list('run', { reason: 'asked', firstRunId: 'run-1' })).toHaveLength(1);
  expect(await store.snapshots.list('run', { reason: 'sleep' })).toEqual([]);
  expect(await store.events.end({ workflowId: 'run', firstRunId: 'run-1' })).toBe(2);
  expect(await store.blobs.collect((id) => id === segment, 0)).toMatchObject({ kept: 1, doomed: 0 });
  expect(await store.blobs.get(segment)).toBe('a segment');
  await store.close();
});

async function writeFileWith(sql: string): Promise<void> {
  const driver = new Driver(path);
  driver.exec(`PRAGMA application_id = ${applicationId}; ${sql}`);
  driver.close();
}
