import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { loadConfig, type Config, type ConfigOverrides } from '../../src/config.js';
import { connectClient, resolveTarget } from '../../src/connection.js';
import { failureOf } from '../../src/contract/failure.js';
import { endProcess, isProcess } from '../../src/dev/process.js';
import { findOrStartServer, type FindOrStart, type FoundServer } from '../../src/dev/server.js';
import { readServerRecord, writeServerRecord, type ServerRecord } from '../../src/dev/server-record.js';
import { eventually } from '../support/eventually.js';
import { hold } from '../support/processes.js';
import { temporalForTests } from '../support/servers.js';

let dataDir: string;
beforeEach(async () => {
  dataDir = await realpath(await mkdtemp(join(tmpdir(), 'ostinato-server-')));
});
afterEach(async () => {
  const record = readServerRecord(dataDir);
  if (record) await endProcess(record.pid, dataDir, 0);
  await rm(dataDir, { recursive: true, force: true });
});

function config(overrides: ConfigOverrides = {}, env: Record<string, string> = {}): Config {
  return loadConfig({ dataDir, cacheDir: temporalForTests().cacheDir, ...overrides }, { ...process.env, ...env });
}

function findOrStart(options: Partial<FindOrStart> = {}): Promise<FoundServer> {
  return findOrStartServer({ config: config(), ports: { server: 0, ui: 0 }, ...options });
}

function recorded(): ServerRecord {
  const record = readServerRecord(dataDir);
  if (!record) throw new Error('No server is recorded.');
  return record;
}

async function killServer(): Promise<void> {
  const { pid } = recorded();
  process.kill(pid, 'SIGKILL');
  await eventually(() => expect(isProcess(pid, dataDir)).toBe(false));
}

async function withClient<T>(
  { address, namespace }: { address: string; namespace: string },
  use: (client: Client) => Promise<T>,
): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection, namespace }));
  } finally {
    await connection.close();
  }
}

describe('a server is started', () => {
  test('with its database in the data directory, web pages, and our search attributes; stopping it leaves the database', async () => {
    const said: string[] = [];
    const server = await findOrStart({ onProgress: (message) => said.push(message) });

    expect(server).toMatchObject({ started: true, owned: true, namespace: 'default' });
    expect(said).toContain(`Waiting for the Temporal server at ${server.address} …`);
    expect((await fetch(server.uiUrl!)).status).toBe(200);
    const { customAttributes } = await withClient(server, (client) =>
      client.connection.operatorService.listSearchAttributes({ namespace: 'default' }),
    );
    expect(Object.keys(customAttributes ?? {})).toEqual(
      expect.arrayContaining(['OstinatoPattern', 'OstinatoAgents', 'OstinatoStatus', 'OstinatoWaitingFor']),
    );

    const { pid } = recorded();
    await server.stop();

    expect(isProcess(pid, dataDir)).toBe(false);
    expect(readServerRecord(dataDir)).toBeUndefined();
    expect((await readFile(join(dataDir, 'temporal.db'))).byteLength).toBeGreaterThan(0);
  });

  test('once for a data directory: the next to ask finds it, also one in another namespace, which is made', async () => {
    const first = await findOrStart();

    const second = await findOrStart({ config: config({ namespace: 'other' }) });

    expect(second).toMatchObject({ started: false, owned: true, address: first.address, uiUrl: first.uiUrl, namespace: 'other' });
    const { customAttributes } = await withClient(second, (client) =>
      client.connection.operatorService.listSearchAttributes({ namespace: 'other' }),
    );
    expect(customAttributes).toHaveProperty('OstinatoStatus');
    expect(resolveTarget(config())).toMatchObject({ source: 'record', address: first.address, uiUrl: first.uiUrl });
    const { connection } = await connectClient(config({ namespace: 'other' }));
    await connection.close();
  });

  test('once, when two processes ask at the same moment', async () => {
    const { cacheDir } = temporalForTests();
    const holders = await Promise.all([1, 2].map(() => hold<{ address: string; started: boolean }>('server', dataDir, cacheDir)));

    expect(new Set(holders.map(({ said }) => said.address)).size).toBe(1);
    expect(holders.map(({ said }) => said.started).sort()).toEqual([false, true]);
    await Promise.all(holders.map((holder) => holder.kill()));
  });

  test('on another port when the usual one is in use, and says so', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const notes: string[] = [];

    const server = await findOrStart({ ports: { server: port, ui: 0 }, log: (note) => notes.push(note) });

    expect(notes).toEqual([`Port ${port} is in use; the Temporal server listens on ${server.address.split(':')[1]}.`]);
    taken.close();
  });
});

describe('after kill -9', () => {
  test('of the process that started it, the server goes on and the next process adopts it and may stop it', async () => {
    const starter = await hold<{ address: string; started: boolean }>('server', dataDir, temporalForTests().cacheDir);
    expect(starter.said.started).toBe(true);
    await starter.kill();

    const server = await findOrStart();

    expect(server).toMatchObject({ started: false, owned: true, address: starter.said.address });
    const { pid } = recorded();
    await server.stop();
    expect(isProcess(pid, dataDir)).toBe(false);
  });

  test('of the server, the next start goes on with the same database at the same address', async () => {
    const before = await findOrStart();
    await withClient(before, (client) => client.workflow.start('anything', { workflowId: 'kept', taskQueue: 'nobody', args: [] }));
    await killServer();

    const after = await findOrStart();

    expect(after).toMatchObject({ started: true, address: before.address, uiUrl: before.uiUrl });
    const { status } = await withClient(after, (client) => client.workflow.getHandle('kept').describe());
    expect(status.name).toBe('RUNNING');
  });
});

describe('a record that does not lead to our server is replaced', () => {
  test.each([
    ['unreadable text', () => '{"pid": 12'],
    ['another process under that id', () => JSON.stringify({ ...somewhere(), pid: process.pid })],
  ])('%s', async (_what, text) => {
    await writeFile(join(dataDir, 'server.json'), text());

    const server = await findOrStart();

    expect(server.started).toBe(true);
    expect(recorded().pid).not.toBe(process.pid);
    expect(isProcess(process.pid, '')).toBe(true);
  });

  test('a process that has ended', async () => {
    const ended = spawn(process.execPath, ['-e', '']);
    await once(ended, 'exit');
    writeServerRecord(dataDir, { ...somewhere(), pid: ended.pid! });

    expect((await findOrStart()).started).toBe(true);
  });

  test('the server of a data directory that this one is a copy of', async () => {
    const original = await findOrStart();
    const copy = await realpath(await mkdtemp(join(tmpdir(), 'ostinato-server-')));
    writeServerRecord(copy, recorded());

    expect(resolveTarget(config({ dataDir: copy }))).toMatchObject({ source: 'default' });
    const server = await findOrStart({ config: config({ dataDir: copy }) });

    expect(server.started).toBe(true);
    expect(server.address).not.toBe(original.address);
    await server.stop();
    await rm(copy, { recursive: true });
  });

  function somewhere(): Omit<ServerRecord, 'pid'> {
    return {
      address: '127.0.0.1:1',
      uiUrl: 'http://127.0.0.1:2',
      database: join(dataDir, 'temporal.db'),
      startedAt: new Date().toISOString(),
    };
  }
});

describe('a configured server', () => {
  test('is used, never started or stopped', async () => {
    const { address } = temporalForTests();

    const server = await findOrStart({ config: config({}, { TEMPORAL_ADDRESS: address }) });
    await server.stop();

    expect(server).toMatchObject({ address, namespace: 'default', started: false, owned: false });
    expect(readServerRecord(dataDir)).toBeUndefined();
    await withClient(server, (client) => client.connection.workflowService.getSystemInfo({}));
  });

  test('is that of a profile, too', async () => {
    const file = join(dataDir, 'temporal.toml');
    await writeFile(file, `[profile.local]\naddress = "${temporalForTests().address}"\n`);

    const server = await findOrStart({ config: config({}, { TEMPORAL_CONFIG_FILE: file, TEMPORAL_PROFILE: 'local' }) });

    expect(server).toMatchObject({ address: temporalForTests().address, started: false, owned: false });
  });
});

test('a server that ends at once says why', async () => {
  await writeFile(join(dataDir, 'temporal.db'), 'this is no database, and long enough to be read as one'.repeat(100));

  const { type, message } = failureOf(await findOrStart().catch((error: unknown) => error));

  expect(type).toBe('Connection.Failed');
  expect(message).toMatch(/^The Temporal server ended at once \(1\): .*not a database.* All it said is in .*server\.log\.$/);
});

test('a data directory that cannot be made is named, with the setting to change', async () => {
  await writeFile(join(dataDir, 'file'), '');

  const { type, message } = failureOf(
    await findOrStart({ config: config({ dataDir: join(dataDir, 'file') }) }).catch((error: unknown) => error),
  );

  expect(type).toBe('Input.Invalid');
  expect(message).toContain('Choose another one with OSTINATO_DATA_DIR.');
});
