/** Who may not use a database is told why, and what to do; nobody is told a password. */
import { inspect } from 'node:util';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { openStore } from '../../../src/store/open-store.js';
import { postgresServer, type PostgresServer } from '../../support/postgres.js';

const environment = { namespace: 'default', taskQueue: 'ostinato' };
const secret = 'op:en/se%same';
let server: PostgresServer;
let owner: string;
let reader: string;

beforeAll(async () => {
  server = await postgresServer();
  await server.query(await server.url(), `CREATE ROLE reader LOGIN PASSWORD '${secret}'`);
});

afterAll(async () => {
  await server.query(await server.url('postgres'), 'DROP OWNED BY reader; DROP ROLE IF EXISTS reader').catch(() => undefined);
  await server.stop();
});

beforeEach(async () => {
  owner = await server.url();
  reader = with_(owner, { username: 'reader', password: encodeURIComponent(secret) });
});

test('a wrong password', async () => {
  const failure = await whyNot(with_(owner, { password: 'guessed-it' }), 'guessed-it');

  expect(failure).toMatchObject({ type: 'Store.Unavailable', message: expect.stringContaining('Correct user and password') });
});

test('an unknown database', async () => {
  const failure = await whyNot(with_(owner, { pathname: '/nowhere' }));

  expect(failure).toMatchObject({ type: 'Store.Unavailable', message: expect.stringContaining(`CREATE DATABASE "nowhere"`) });
});

test('a user who may make no schema; one that is made for it is enough', async () => {
  const failure = await whyNot(reader, secret);
  expect(failure).toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining('CREATE SCHEMA ostinato AUTHORIZATION "reader"'),
  });

  await server.query(owner, 'CREATE SCHEMA ostinato AUTHORIZATION reader');

  const store = await openStore({ url: reader, dataDir: '', environment });
  expect(await store.blobs.get(await store.blobs.put('mine'))).toBe('mine');
  await store.close();
});

test('a user who may only read reads, and is told what it lacks when it writes', async () => {
  const first = await openStore({ url: owner, dataDir: '', environment });
  const id = await first.blobs.put('to be read');
  await first.close();
  await server.query(owner, 'GRANT USAGE ON SCHEMA ostinato TO reader; GRANT SELECT ON ALL TABLES IN SCHEMA ostinato TO reader');

  const store = await openStore({ url: reader, dataDir: '', environment });

  expect(await store.blobs.get(id)).toBe('to be read');
  await expect(store.blobs.put('written')).rejects.toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining('GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ostinato TO "reader"'),
  });
  await store.close();
});

test('another user with the rights named there shares the store', async () => {
  const first = await openStore({ url: owner, dataDir: '', environment });
  await server.query(
    owner,
    'GRANT USAGE ON SCHEMA ostinato TO reader; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ostinato TO reader',
  );

  const store = await openStore({ url: reader, dataDir: '', environment: { ...environment, taskQueue: 'another' } });
  await store.events.append({ workflowId: 'run', firstRunId: '1' }, [{ type: 'delta', key: 'a', at: '2026-01-02T03:04:05Z', text: 'a' }]);
  await store.snapshots.add({ id: 'a', workflowId: 'run', firstRunId: '1', at: '', reason: 'asked', turn: 1, length: 1, key: 'k' });
  await (await store.permits.acquire('provider', 1)).release();

  expect(await store.events.end({ workflowId: 'run', firstRunId: '1' })).toBe(1);
  await store.close();
  await first.close();
});

test('a database that takes no writes', async () => {
  await server.query(owner, `ALTER DATABASE "${new URL(owner).pathname.slice(1)}" SET default_transaction_read_only = on`);

  expect(await whyNot(owner)).toMatchObject({ type: 'Store.Unavailable', message: expect.stringContaining('It takes no writes') });
});

test('a host that is not there, and a server without TLS', async () => {
  expect(await whyNot(with_(owner, { hostname: 'nowhere.invalid' }))).toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringMatching(/Correct the host|can be reached/),
  });
  expect(await whyNot(with_(owner, { search: '?sslmode=require' }))).toMatchObject({
    type: 'Store.Unavailable',
    message: expect.stringContaining('sslmode'),
  });
});

test.each([
  'localhost:5432/db',
  'mysql://me:hush@host/db',
  'postgresql://me:hush@[host/db',
  'postgresql://me:hush@host/db?sslrootcert=/not/there.pem',
])('%s is no address', async (url) => {
  const failure = await whyNot(url, 'hush');

  expect(failure.message).toContain('OSTINATO_STORE_URL');
});

test('names may be long and hold anything', async () => {
  const odd = { workflowId: `a\0b'"\\ ${'線'.repeat(2000)}`, firstRunId: 'run\0' };
  const store = await openStore({ url: owner, dataDir: '', environment: { namespace: 'a\0b', taskQueue: '線'.repeat(2000) } });
  await store.events.append(odd, [{ type: 'delta', key: `\0${'k'.repeat(5000)}`, at: '2026-01-02T03:04:05Z', text: 'a\0b \ud800' }]);
  const permit = await store.permits.acquire(`provider\0${'p'.repeat(5000)}`, 1);
  await permit.release();
  await store.snapshots.add({ ...odd, id: 'i\0d', at: '', reason: 'asked', turn: 1, length: 1, key: 'k', label: 'a\0b' });

  expect(await store.events.read(odd, { epoch: 0, seq: 0 })).toMatchObject([{ text: 'a\0b \ud800', runId: odd.workflowId }]);
  expect(await store.snapshots.list(odd.workflowId)).toMatchObject([{ id: 'i\0d', label: 'a\0b' }]);
  expect(await store.blobs.get('a\0b')).toBeUndefined();
  await store.close();
});

function with_(url: string, parts: Partial<URL>): string {
  return Object.assign(new URL(url), parts).href;
}

async function whyNot(url: string, password = decodeURIComponent(new URL(url).password)): Promise<{ type?: string; message: string }> {
  const failure = await openStore({ url, dataDir: '', environment }).then(
    (store) => store.close().then(() => new Error('It opened.')),
    (error: unknown) => error as Error,
  );
  const shown = inspect(failure, { depth: 10, showHidden: true }) + JSON.stringify(failure) + String(failure.stack);
  expect(shown).not.toContain(password);
  expect(shown).not.toContain(encodeURIComponent(password));
  return failure;
}
