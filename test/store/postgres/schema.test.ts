import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open-store.js';
import { Database } from '../../../src/store/postgres/database.js';
import { prepareSchema, schemaSteps } from '../../../src/store/postgres/schema.js';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';
import { ChildStore } from '../child-store.js';

const environment = { namespace: 'default', taskQueue: 'ostinato' };
const log = { workflowId: 'run', firstRunId: 'run-1' };
const tea = 'CREATE TABLE ostinato.tea (name TEXT)';
const price = 'ALTER TABLE ostinato.tea ADD COLUMN price INTEGER NOT NULL DEFAULT 3';
let server: PostgresServer;
let url: string;

beforeAll(async () => {
  server = await postgresServer();
});

afterAll(() => server.stop());

beforeEach(async () => {
  url = await server.url();
});

test('processes that open a new store at the same moment all get it', async () => {
  const options = { url, dataDir: '', environment };

  const children = await Promise.all([1, 2, 3, 4].map(() => ChildStore.open(options)));
  await Promise.all(children.map((child, i) => child.tell({ do: 'append', log, prefix: `${i} `, count: 10, batch: 10 })));
  await Promise.all(children.map((child) => child.kill()));

  const store = await openStore(options);
  expect(await store.events.read(log, { epoch: 0, seq: 0 })).toHaveLength(40);
  await store.close();
});

test('stores opened at the same moment in one process are one store', async () => {
  const stores = await Promise.all([1, 2, 3, 4].map(() => openStore({ url, dataDir: '', environment })));

  const ids = await Promise.all(stores.map((store, i) => store.blobs.put(`text ${i}`)));

  expect(await Promise.all(ids.map((id) => stores[0]!.blobs.get(id)))).toEqual(['text 0', 'text 1', 'text 2', 'text 3']);
  await Promise.all(stores.map((store) => store.close()));
});

test('a schema of an older release is brought up to date with all that is in it', async () => {
  await prepare([tea]);
  await server.query(url, `INSERT INTO ostinato.tea VALUES ('sencha')`);

  await prepare([tea, price]);

  expect(await server.query(url, 'SELECT name, price FROM ostinato.tea')).toEqual([{ name: 'sencha', price: 3 }]);
  expect(await server.query(url, 'SELECT version FROM ostinato.schema_version')).toEqual([{ version: 2 }]);
});

test('a step that fails leaves the schema at the step before', async () => {
  await prepare([tea]);
  const before = await contents();

  await expect(prepare([tea, 'CREATE TABLE ostinato.pots (size TEXT)', 'CREATE TABLE ostinato.tea (again TEXT)'])).rejects.toThrow();

  expect(await contents()).toEqual(before);
});

test('a schema of a newer release is refused and left as it is', async () => {
  await prepare([...schemaSteps, 'CREATE TABLE ostinato.unheard_of (x INTEGER)']);
  const before = await contents();

  await expect(openStore({ url, dataDir: '', environment })).rejects.toMatchObject({
    type: 'State.Newer',
    message: expect.stringContaining('upgrade'),
  });

  expect(await contents()).toEqual(before);
});

test('a schema of that name that another program has made is refused and left as it is', async () => {
  await server.query(url, 'CREATE SCHEMA ostinato CREATE TABLE notes (text TEXT)');
  const before = await contents();

  await expect(openStore({ url, dataDir: '', environment })).rejects.toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining('another program'),
  });

  expect(await contents()).toEqual(before);
});

test('tables of other programs in the same database are none of our business', async () => {
  await server.query(url, 'CREATE TABLE blobs (mine TEXT)');
  const store = await openStore({ url, dataDir: '', environment });
  const id = await store.blobs.put('ours');

  expect(await store.blobs.get(id)).toBe('ours');
  expect(await server.query(url, 'SELECT * FROM public.blobs')).toEqual([]);
  await store.close();
});

test('a database that cannot hold every text is refused', async () => {
  await server.query(url, `CREATE DATABASE latin ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'`);
  const latin = new URL(url);
  latin.pathname = 'latin';

  await expect(openStore({ url: latin.href, dataDir: '', environment })).rejects.toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining(`ENCODING 'UTF8'`),
  });
  await server.query(url, 'DROP DATABASE latin');
});

test('what the first release wrote can be read', async () => {
  await server.query(url, await readFile(new URL('../fixtures/postgres-schema-1.sql', import.meta.url), 'utf8'));

  const store = await openStore({ url, dataDir: '', environment });

  expect(await store.blobs.get('cfac0461d0e5963017d4cfbdf388ca69')).toBe('a segment');
  expect(await store.events.read(log, { epoch: 2, seq: 1 })).toEqual([
    { type: 'delta', at: '2026-01-02T03:04:05Z', text: 'two', seq: 2, epoch: 2, runId: 'run' },
  ]);
  await store.events.append(log, [{ type: 'delta', key: 'b', at: '2026-01-02T03:04:05Z', text: 'again' }]);
  expect(await store.events.end(log)).toBe(2);
  expect(await store.snapshots.list('run')).toMatchObject([{ id: 'a snapshot', turn: 2 }]);
  expect(await store.snapshots.list('run', { reason: 'asked', firstRunId: 'run-1' })).toHaveLength(1);
  expect(await store.snapshots.list('run', { reason: 'sleep' })).toEqual([]);
  expect(await store.blobs.collect(() => true, 0)).toMatchObject({ kept: 1, doomed: 0 });
  await store.close();
});

test('whoever could write before a release brought new tables can write afterwards', async () => {
  await prepare(schemaSteps.slice(0, 1));
  await server.query(
    url,
    `DO $$ BEGIN CREATE ROLE "the Writer" LOGIN PASSWORD 'writes'; EXCEPTION WHEN duplicate_object THEN NULL; END $$`,
  );
  await server.query(url, 'GRANT USAGE ON SCHEMA ostinato TO "the Writer"');
  await server.query(url, 'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ostinato TO "the Writer"');
  await prepare([...schemaSteps]);

  const address = Object.assign(new URL(url), { username: encodeURIComponent('the Writer'), password: 'writes' });
  const store = await openStore({ url: address.href, dataDir: '', environment });
  const id = await store.blobs.put('said '.repeat(10_000));
  expect(await store.blobs.put('said '.repeat(10_000))).toBe(id);
  for (let i = 0; i < 2; i++) await store.blobs.collect(() => false, 0);

  expect(await store.blobs.get(id)).toBeUndefined();
  await store.close();
  await server.query(url, 'DROP OWNED BY "the Writer"; DROP ROLE "the Writer"');
});

async function prepare(steps: string[]): Promise<void> {
  const database = new Database(url);
  await prepareSchema(database, steps).finally(() => database.close());
}

/** All that the schema consists of. */
async function contents(): Promise<unknown> {
  const columns = `SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = 'ostinato' ORDER BY 1, 2`;
  const [versions] = await server.query(url, `SELECT to_regclass('ostinato.schema_version') IS NOT NULL AS has_version`);
  const hasVersion = (versions as { has_version: boolean }).has_version;
  return [await server.query(url, columns), hasVersion && (await server.query(url, 'SELECT * FROM ostinato.schema_version'))];
}
