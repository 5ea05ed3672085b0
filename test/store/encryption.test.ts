/** A store with keys, in both engines: what it keeps is readable with the keys that wrote it, and with no other. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { NewEvent } from '../../src/contract/event.js';
import type { SnapshotRecord } from '../../src/contract/snapshot.js';
import { newKey, readKeys } from '../../src/encryption/keys.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import { postgresServer, type PostgresServer } from '../support/postgres.js';

const [a, b] = [newKey('a_1'), newKey('b')];
const environment = { namespace: 'default', taskQueue: 'sealed' };
const log = { workflowId: 'a run', firstRunId: 'run-1' };
const start = { epoch: 0, seq: 0 };
const event = (key: string) => ({ key, type: 'delta', at: '2026-11-26T14:00:00.000Z', text: `said ${key}` }) as unknown as NewEvent;
const snapshot = (id: string): SnapshotRecord => ({
  id,
  workflowId: 'a run',
  firstRunId: 'run-1',
  at: '2026-11-26T14:00:00.000Z',
  reason: 'asked',
  label: `label of ${id}`,
  turn: 2,
  length: 5,
  key: id,
});
const long = 'A phrase that stubbornly persists. '.repeat(4000);
const keyMissing = { type: 'Encryption.KeyMissing', nonRetryable: false };

let directory: string;
let postgres: PostgresServer;
beforeAll(async () => {
  [directory, postgres] = await Promise.all([mkdtemp(join(tmpdir(), 'ostinato-sealed-')), postgresServer()]);
});
afterAll(async () => {
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

const engines: [string, (name: string) => Promise<{ url?: string; dataDir: string }>][] = [
  ['SQLite', async (name) => ({ dataDir: join(directory, name) })],
  ['PostgreSQL', async (name) => ({ url: await postgres.url(name), dataDir: '' })],
];

describe.each(engines)('%s', (_, placeOf) => {
  async function withStore<T>(name: string, keys: string[], use: (store: Store) => Promise<T>): Promise<T> {
    const encryptionKeys = keys.length > 0 ? readKeys(keys.join(','), (problem) => expect.fail(problem)) : [];
    const store = await openStore({ ...(await placeOf(name)), environment, encryptionKeys });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }

  const fill = async (store: Store, suffix = '') => {
    const ids = [await store.blobs.put(`short${suffix}`), await store.blobs.put(`${long}${suffix}`)];
    await store.snapshots.add(snapshot(`s${suffix}`));
    await store.events.append(log, [event(`e${suffix}`)]);
    return ids;
  };
  const read = async (store: Store, ids: string[]) => ({
    texts: await Promise.all(ids.map((id) => store.blobs.get(id))),
    labels: (await store.snapshots.list('a run')).map(({ label }) => label),
    said: (await store.events.read(log, start)).map((found) => (found as unknown as { text: string }).text),
  });

  test('old rows stay readable when keys come, and when they change; ids stay what they are', async () => {
    const plain = await withStore('grows', [], (store) => fill(store, '-0'));
    const first = await withStore('grows', [a], (store) => fill(store, '-1'));
    const second = await withStore('grows', [b, a], (store) => fill(store, '-2'));

    const all = await withStore('grows', [b, a], (store) => read(store, [...plain, ...first, ...second]));

    expect(all).toEqual({
      texts: ['short-0', `${long}-0`, 'short-1', `${long}-1`, 'short-2', `${long}-2`],
      labels: ['label of s-2', 'label of s-1', 'label of s-0'],
      said: ['said e-0', 'said e-1', 'said e-2'],
    });
    expect(await withStore('another', [], (store) => fill(store, '-1'))).toEqual(first);
  });

  test('a key that is missing, or another one, is said by name; and nothing is touched', async () => {
    const ids = await withStore('locked', [a], (store) => fill(store));
    for (const keys of [[b], [], [newKey('a_1')]]) {
      await withStore('locked', keys, async (store) => {
        for (const id of ids) await expect(store.blobs.get(id)).rejects.toMatchObject(keyMissing);
        await expect(store.snapshots.get('s')).rejects.toMatchObject(keyMissing);
        await expect(store.snapshots.list('a run')).rejects.toMatchObject(keyMissing);
        await expect(store.events.read(log, start)).rejects.toMatchObject({ ...keyMissing, message: expect.stringContaining('"a_1"') });
      });
    }

    expect((await withStore('locked', [a], (store) => read(store, ids))).texts).toEqual(['short', long]);
  });

  test('the same text, put again with another key, outlives the old one; without keys it stays as it is', async () => {
    const [id] = (await withStore('again', [a], (store) => fill(store))) as [string];

    await withStore('again', [], (store) => store.blobs.put('short'));
    await withStore('again', [b], async (store) => await expect(store.blobs.get(id)).rejects.toMatchObject(keyMissing));
    await withStore('again', [b], (store) => store.blobs.put('short'));

    expect(await withStore('again', [b], (store) => store.blobs.get(id))).toBe('short');
    await withStore('again', [a], async (store) => await expect(store.blobs.get(id)).rejects.toMatchObject(keyMissing));
  });

  test('what nothing refers to is collected without being read', async () => {
    await withStore('collected', [a], (store) => fill(store));

    const swept = await withStore('collected', [b], async ({ blobs }) => {
      await blobs.collect(() => false, 0);
      return await blobs.collect(() => false, 0);
    });

    expect(swept).toMatchObject({ kept: 0, deleted: 2 });
  });
});
