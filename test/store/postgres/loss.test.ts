/** What becomes of a store whose server goes away. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { NewEvent } from '../../../src/contract/event.js';
import { openStore } from '../../../src/store/open-store.js';
import { Database } from '../../../src/store/postgres/database.js';
import type { Store } from '../../../src/store/store.js';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';
import { ChildStore } from '../child-store.js';

const environment = { namespace: 'default', taskQueue: 'ostinato' };
const log = { workflowId: 'run', firstRunId: 'run-1' };
const start = { epoch: 0, seq: 0 };
const ourConnections = `FROM pg_stat_activity WHERE application_name = 'ostinato' AND datname = current_database()`;
let server: PostgresServer;
let url: string;
let store: Store;
let children: ChildStore[];

beforeAll(async () => {
  server = await postgresServer();
});

afterAll(() => server.stop());

beforeEach(async () => {
  url = await server.url();
  children = [];
  store = await open();
});

afterEach(async () => {
  await store.close();
  await Promise.all(children.map((child) => child.kill()));
});

test('a server killed twice and started again loses nothing that it acknowledged, and nothing is written twice', async () => {
  const writers = await Promise.all([openElsewhere(), openElsewhere()]);
  const writing = writers.map((writer, i) => writer.tell({ do: 'write', log, prefix: `${i}/`, count: 200, batch: 5 }));
  for (const share of [50, 500]) {
    while (acknowledged().length < share) await sleep(2);
    await server.kill();
    await server.start();
  }
  await Promise.all(writing);

  await expectAll(2000);
});

test('connections that are ended again and again lose nothing, and nothing is written twice', async () => {
  const writers = await Promise.all([openElsewhere(), openElsewhere()]);
  const writing = writers.map((writer, i) => writer.tell({ do: 'write', log, prefix: `${i}/`, count: 200, batch: 5 }));
  const done = Promise.all(writing);
  let isDone = false;
  void done.then(() => (isDone = true));
  let ended = 0;
  // Less and less often: a machine may be so busy that nobody comes to anything in between.
  for (let pause = 50; !isDone; pause *= 1.1) {
    ended += (await server.query(url, `SELECT pg_terminate_backend(pid) ${ourConnections}`)).length;
    await sleep(pause);
  }
  await done;

  expect(ended).toBeGreaterThan(5);
  await expectAll(2000);
});

test('a reader waits through a restart and hears what is written afterwards', async () => {
  const writer = await openElsewhere();
  const reading = store.events.read(log, start, { waitMs: 60_000 });
  await server.restart();
  await writer.tell({ do: 'append', log, prefix: 'later ', count: 1, batch: 1 });

  expect(await reading).toMatchObject([{ text: 'later 0' }]);
});

test('a connection that listens is replaced: messages arrive again', async () => {
  const writer = await openElsewhere();
  const listening = `SELECT pid ${ourConnections} AND query = 'LISTEN ostinato'`;
  const first = store.events.read(log, start, { waitMs: 60_000 });
  while ((await server.query(url, listening)).length === 0) await sleep(20);
  await server.query(url, `SELECT pg_terminate_backend(pid) ${ourConnections} AND query = 'LISTEN ostinato'`);
  while ((await server.query(url, listening)).length === 0) await sleep(20);
  await writer.tell({ do: 'append', log, prefix: 'one ', count: 1, batch: 1 });
  await first;

  const delays = [];
  for (let seq = 1; seq < 8; seq++) {
    const next = store.events.read(log, { epoch: 0, seq }, { waitMs: 60_000 });
    await sleep(30);
    writer.start({ do: 'tell-time', log, key: `${seq}` });
    const [event] = (await next) as unknown as [{ text: string }];
    delays.push(Date.now() - Number(event.text));
  }

  // Far below the second after which it would look by itself, where the machine has nothing else to do.
  expect(delays.sort((a, b) => a - b)[1]).toBeLessThan(200);
});

test('a message that is lost costs a reader no more than a moment', async () => {
  await store.events.append(log, said('one'));
  const reading = store.events.read(log, { epoch: 0, seq: 1 }, { waitMs: 60_000 });
  await sleep(500);
  const began = performance.now();
  await server.query(
    url,
    `SELECT ostinato.append_events(environment, key, workflow_id, first_run_id, '{abc}', '{"{\\"text\\":\\"unannounced\\"}"}') FROM ostinato.logs`,
  );

  expect(await reading).toMatchObject([{ text: 'unannounced' }]);
  expect(performance.now() - began).toBeLessThan(15_000);
});

test('a place survives the loss of every connection', async () => {
  const permit = await store.permits.acquire('provider', 1, { leaseMs: 3000 });
  await server.restart();
  await sleep(4500);
  const other = await open();

  await expect(other.permits.acquire('provider', 1, { signal: AbortSignal.timeout(500) })).rejects.toThrow();
  await permit.release();
  await expect(other.permits.acquire('provider', 1)).resolves.toBeDefined();
  await other.close();
});

test('a server that stays away is reported, without a password, and is used again when it is back', async () => {
  const database = new Database(url, { patienceMs: 300 });
  await database.query('SELECT 1');
  await server.kill();

  const failures = await Promise.allSettled([database.query('SELECT 1'), database.transaction((query) => query('SELECT 1'))]);

  await server.start();
  for (const failure of failures) {
    expect(failure).toMatchObject({
      status: 'rejected',
      reason: { type: 'Store.Unavailable', nonRetryable: false, message: expect.stringContaining('See that the server runs') },
    });
    expect(String((failure as PromiseRejectedResult).reason)).not.toContain(decodeURIComponent(new URL(url).password));
  }
  expect(await database.query('SELECT 1 AS one')).toEqual([{ one: 1 }]);
  await database.close();
});

test('a store can be closed while its server is away', async () => {
  const other = await open();
  await other.permits.acquire('provider', 1);
  const waiting = other.events.read(log, start, { waitMs: 60_000 }).catch((error: unknown) => error);
  await server.kill();
  const began = performance.now();
  await other.close();

  expect(performance.now() - began).toBeLessThan(15_000);
  expect(await waiting).toMatchObject({ type: 'Store.Unavailable' });
  await server.start();
});

test('a long transaction of somebody else is waited for', async () => {
  await store.events.append(log, said('one'));
  const blocking = new Database(url);
  await blocking.transaction(async (query) => {
    await query('SELECT * FROM ostinato.logs FOR UPDATE');
    const writing = Promise.all(Array.from({ length: 30 }, (_, i) => store.events.append(log, said(`${i}`))));
    await sleep(500);
    // Waiting for one log takes one connection, and leaves the others for everybody else.
    expect(await store.blobs.get(await store.blobs.put('meanwhile'))).toBe('meanwhile');
    void writing;
  });
  await blocking.close();
  await store.events.append(log, said('last'));

  expect(await store.events.end(log)).toBe(32);
});

async function open(): Promise<Store> {
  return await openStore({ url, dataDir: '', environment });
}

async function openElsewhere(): Promise<ChildStore> {
  const child = await ChildStore.open({ url, dataDir: '', environment });
  children.push(child);
  return child;
}

function acknowledged(): string[] {
  return children.flatMap((child) => child.reports).flatMap((report) => (report.is === 'appended' ? report.keys : []));
}

/** Every event that was acknowledged, once, in whole batches of five; and every text. */
async function expectAll(count: number): Promise<void> {
  const events = [];
  for (let seq = 0; seq < count; seq += 500) events.push(...(await store.events.read(log, { epoch: 0, seq })));
  const texts = events.map((event) => (event as unknown as { text: string }).text);
  expect(events.map(({ seq }) => seq)).toEqual(Array.from({ length: count }, (_, i) => i + 1));
  expect([...texts].sort()).toEqual(acknowledged().sort());
  expect(acknowledged()).toHaveLength(count);
  const stored = children.flatMap((child) => child.reports).filter((report) => report.is === 'stored');
  for (const { id, text } of stored) expect(await store.blobs.get(id)).toBe(text);
}

function said(...keys: string[]): NewEvent[] {
  return keys.map((key) => ({ type: 'delta', key, at: '2026-01-02T03:04:05Z', text: key }));
}
