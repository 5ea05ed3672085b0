import { mkdir, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { failureOf } from '../../src/contract/failure.js';
import { openStore } from '../../src/store/open-store.js';
import { ChildStore } from './child-store.js';

const environment = { namespace: 'default', taskQueue: 'ostinato' };
const log = { workflowId: 'run', firstRunId: 'run-1' };
let home: string;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ostinato-open-'));
});

afterEach(async () => {
  await rm(home, { recursive: true, force: true });
});

test('a data directory is made where there is none, for its owner alone', async () => {
  const dataDir = join(home, 'not', 'yet', 'there');

  const store = await openStore({ dataDir, environment });
  await store.close();

  expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  expect((await stat(join(dataDir, 'store.db'))).mode & 0o777).toBe(0o600);
});

test('a closed store is one file: a copy of it is a copy of everything', async () => {
  const store = await openStore({ dataDir: join(home, 'original'), environment });
  const id = await store.blobs.put('a segment');
  await store.close();

  await mkdir(join(home, 'copy'));
  await writeFile(join(home, 'copy', 'store.db'), await readFile(join(home, 'original', 'store.db')));

  const copy = await openStore({ dataDir: join(home, 'copy'), environment });
  expect(await copy.blobs.get(id)).toBe('a segment');
  await copy.close();
});

test('processes that open a new store at the same moment all get it', async () => {
  const options = { dataDir: join(home, 'new'), environment };

  const children = await Promise.all([1, 2, 3, 4].map(() => ChildStore.open(options)));
  await Promise.all(children.map((child, i) => child.tell({ do: 'append', log, prefix: `${i} `, count: 10, batch: 10 })));
  await Promise.all(children.map((child) => child.kill()));

  const store = await openStore(options);
  expect(await store.events.read(log, { epoch: 0, seq: 0 })).toHaveLength(40);
  await store.close();
});

test('stores opened at the same moment in one process are one store', async () => {
  const stores = await Promise.all([1, 2, 3, 4].map(() => openStore({ dataDir: join(home, 'new'), environment })));

  const ids = await Promise.all(stores.map((store, i) => store.blobs.put(`text ${i}`)));

  expect(await Promise.all(ids.map((id) => stores[0]!.blobs.get(id)))).toEqual(['text 0', 'text 1', 'text 2', 'text 3']);
  await Promise.all(stores.map((store) => store.close()));
});

test('a file where the directory should be is named, with what to do', async () => {
  await writeFile(join(home, 'data'), 'in the way');

  for (const dataDir of [join(home, 'data'), join(home, 'data', 'deeper')]) {
    const failure = await whyNot(dataDir);
    expect(failure.type).toBe('Store.Unavailable');
    expect(failure.message).toContain(dataDir);
    expect(failure.message).toContain('Choose a directory');
  }
  expect(await readFile(join(home, 'data'), 'utf8')).toBe('in the way');
});

test('a directory where the file should be is named', async () => {
  await mkdir(join(home, 'store.db'));

  const failure = await whyNot(home);

  expect(failure.type).toBe('Store.Unavailable');
  expect(failure.message).toContain(join(home, 'store.db'));
});

test('a file that is not a store is refused and left as it is', async () => {
  const content = 'The minutes of our last meeting.\n'.repeat(1000);
  await writeFile(join(home, 'store.db'), content);

  const failure = await whyNot(home);

  expect(failure.type).toBe('Store.Unavailable');
  expect(failure.message).toContain('left as it is');
  expect(await readFile(join(home, 'store.db'), 'utf8')).toBe(content);
});

test('damage on the disk is noticed when it is read, and touches nothing else', async () => {
  const path = join(home, 'store.db');
  const before = await openStore({ dataDir: home, environment });
  const text = randomText(40_000);
  const [damaged, whole] = [await before.blobs.put(text), await before.blobs.put('whole')];
  await before.close();
  const bytes = await readFile(path);
  bytes[bytes.indexOf(text.slice(20_000, 20_100))] = 0;
  await writeFile(path, bytes);

  const store = await openStore({ dataDir: home, environment });

  await expect(store.blobs.get(damaged)).rejects.toMatchObject({ type: 'State.Unreadable' });
  expect(await store.blobs.get(whole)).toBe('whole');
  await store.close();
});

test('a store cut in half says that it is damaged', async () => {
  const path = join(home, 'store.db');
  const before = await openStore({ dataDir: home, environment });
  const id = await before.blobs.put(randomText(40_000));
  await before.close();
  await truncate(path, (await stat(path)).size / 2);

  const failure = failureOf(
    await openStore({ dataDir: home, environment })
      .then((store) => store.blobs.get(id).finally(() => store.close().catch(() => undefined)))
      .catch((error: unknown) => error),
  );

  expect(failure.type).toBe('Store.Unavailable');
  expect(failure.message).toContain('restore it from a backup');
});

async function whyNot(dataDir: string): Promise<{ type: string; message: string }> {
  const before = await readdir(home);
  const failure = await openStore({ dataDir, environment }).then(
    () => ({ type: 'opened', message: '' }),
    (error: unknown) => failureOf(error),
  );
  expect(await readdir(home)).toEqual(before);
  return failure;
}

function randomText(length: number): string {
  let text = '';
  while (text.length < length) text += Math.random().toString(36).slice(2);
  return text.slice(0, length);
}
