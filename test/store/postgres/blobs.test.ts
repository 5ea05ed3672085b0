import { afterAll, beforeAll, beforeEach, afterEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open-store.js';
import { Database } from '../../../src/store/postgres/database.js';
import { doomedIn } from '../../../src/store/postgres/doomed.js';
import type { Store } from '../../../src/store/store.js';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';

let server: PostgresServer;
let url: string;
let store: Store;

beforeAll(async () => {
  server = await postgresServer();
});

afterAll(() => server.stop());

beforeEach(async () => {
  url = await server.url();
  store = await openStore({ url, dataDir: '', environment: { namespace: 'default', taskQueue: 'ostinato' } });
});

afterEach(() => store.close());

const long = 'The phrase stubbornly persists. '.repeat(10_000);

test.each([
  ['a changed text', 'a short text', Buffer.from('another text')],
  ['a changed long text', long, Buffer.from(long.replace('phrase', 'phrasE'))],
  ['a text cut short', 'a short text', Buffer.alloc(0)],
  ['a packed text that is noise now', long, Buffer.from('noise')],
])('%s is refused and left as it is', async (_, text, damaged) => {
  const id = await store.blobs.put(text);
  await server.query(url, 'UPDATE ostinato.blobs SET content = $1', [damaged]);

  await expect(store.blobs.get(id)).rejects.toMatchObject({ type: 'State.Unreadable', nonRetryable: true });

  await store.blobs.put(text);
  const [row] = await server.query<{ content: Buffer }>(url, 'SELECT content FROM ostinato.blobs');
  expect(row!.content.equals(damaged)).toBe(true);
});

test('a long text takes less room than it has words', async () => {
  await store.blobs.put(long);

  const [row] = await server.query<{ bytes: number }>(url, 'SELECT length(content) AS bytes FROM ostinato.blobs');
  expect(row!.bytes).toBeLessThan(long.length / 10);
});

test('what is acknowledged is on the disk, also where the database says that it need not be', async () => {
  await server.query(url, `ALTER DATABASE "${new URL(url).pathname.slice(1)}" SET synchronous_commit = off`);
  const strict = await openStore({ url, dataDir: '', environment: { namespace: 'default', taskQueue: 'ostinato' } });
  const before = await flushed();
  await strict.blobs.put('a text');

  expect(await flushed()).not.toBe(before);
  await strict.close();
});

async function flushed(): Promise<string> {
  const [row] = await server.query<{ at: string }>(url, 'SELECT pg_current_wal_flush_lsn()::text AS at');
  return row!.at;
}

test('what was put since it was found to be due is not deleted', async () => {
  const database = new Database(url);
  const [{ id: environment }] = (await server.query<{ id: number }>(url, 'SELECT id FROM ostinato.environments')) as [{ id: number }];
  const id = await store.blobs.put(long);
  await store.blobs.collect(() => false, 0);
  await store.blobs.put(long);

  expect(await doomedIn(database, environment, 0).delete([id])).toEqual({ deleted: 0, bytes: 0 });
  expect(await store.blobs.get(id)).toBe(long);
  await database.close();
});
