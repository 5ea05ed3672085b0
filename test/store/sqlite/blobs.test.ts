import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { SqliteBlobs } from '../../../src/store/sqlite/blobs.js';
import { openDatabase } from '../../../src/store/sqlite/database.js';
import { SqliteDoomed } from '../../../src/store/sqlite/doomed.js';
import type { Database } from '../../../src/store/sqlite/database.js';

let directory: string;
let database: Database;
let blobs: SqliteBlobs;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-blobs-'));
  database = await openDatabase(join(directory, 'store.db'));
  blobs = new SqliteBlobs(database, 1);
});

afterEach(async () => {
  await database.close();
  await rm(directory, { recursive: true, force: true });
});

const long = 'The phrase stubbornly persists. '.repeat(10_000);

test.each([
  ['a changed text', 'a short text', Buffer.from('another text')],
  ['a changed long text', long, Buffer.from(long.replace('phrase', 'phrasE'))],
  ['a text cut short', 'a short text', Buffer.alloc(0)],
  ['a packed text that is noise now', long, Buffer.from('noise')],
])('%s is refused and left as it is', async (_, text, damaged) => {
  const id = await blobs.put(text);
  database.prepare('UPDATE blobs SET content = ?').run(damaged);

  await expect(blobs.get(id)).rejects.toMatchObject({ type: 'State.Unreadable', nonRetryable: true });

  await blobs.put(text);
  expect(database.prepare<{ content: Buffer }>('SELECT content FROM blobs').get()!.content.equals(damaged)).toBe(true);
});

test('a long text takes less room than it has words', async () => {
  await blobs.put(long);

  const { bytes } = database.prepare<{ bytes: number }>('SELECT length(content) AS bytes FROM blobs').get()!;
  expect(bytes).toBeLessThan(long.length / 10);
});

test('a text is on the disk before it is acknowledged', async () => {
  const seen: number[] = [];
  const synchronous = (): void => {
    seen.push(database.prepare<{ synchronous: number }>('PRAGMA synchronous').get()!.synchronous);
  };

  await database.write(synchronous);
  await Promise.all([blobs.put('a text'), ...Array.from({ length: 5 }, () => database.write(synchronous))]);

  // 1: left to the operating system; 2: flushed with the transaction. The text's companions share its transaction.
  expect(seen[0]).toBe(1);
  expect(seen).toContain(2);
});

test('a full disk refuses what is new, keeps what is there, and takes more when there is room', async () => {
  const kept = await blobs.put('kept');
  database.prepare('PRAGMA max_page_count = 20').get();
  const large = Array.from({ length: 5000 }, () => randomUUID()).join('');

  await expect(blobs.put(large)).rejects.toMatchObject({
    type: 'Store.Unavailable',
    nonRetryable: false,
    message: expect.stringContaining('Free some space'),
  });

  expect(await blobs.get(kept)).toBe('kept');
  database.prepare('PRAGMA max_page_count = 100000').get();
  expect(await blobs.get(await blobs.put(large))).toBe(large);
});

test('what was put since it was found to be due is not deleted', async () => {
  const id = await blobs.put(long);
  await blobs.collect(() => false, 0);
  await blobs.put(long);

  expect(await new SqliteDoomed(database, 1).sweep(0).delete([id])).toEqual({ deleted: 0, bytes: 0 });
  expect(await blobs.get(id)).toBe(long);
});
