import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadConfig, type Config } from '../src/config.js';
import { checkTarget, connectClient, connectWorker, resolveTarget, temporalUiUrl } from '../src/connection.js';
import { failureOf } from '../src/contract/failure.js';
import { writeServerRecord } from '../src/dev/server-record.js';
import { freePort } from '../src/dev/ports.js';
import { devServerConfig, temporalForTests } from './support/servers.js';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ostinato-connection-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const noFile = { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' };

function configOf(env: Record<string, string>): Config {
  return loadConfig({ dataDir: directory }, { ...noFile, ...env });
}

async function failure(work: Promise<unknown>) {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return { ...failureOf(error), printed: inspect(error, { depth: 20 }) };
}

async function listening(server: Server): Promise<{ address: string; [Symbol.asyncDispose](): Promise<void> }> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket.on('error', () => undefined)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

describe('where the server is', () => {
  async function profile(text: string): Promise<Record<string, string>> {
    const file = join(directory, 'temporal.toml');
    await writeFile(file, text);
    return { TEMPORAL_CONFIG_FILE: file };
  }
  const twoProfiles = `
    [profile.default]
    address = "ours.example:7233"
    namespace = "team"
    [profile.cloud]
    address = "cloud.example:7233"
    namespace = "prod.abc"
    api_key = "key-of-the-cloud"
  `;

  test('nobody says: localhost', async () => {
    expect(resolveTarget(configOf({}))).toMatchObject({
      address: 'localhost:7233',
      namespace: 'default',
      source: 'default',
      tls: false,
      apiKey: false,
    });
  });

  test('TEMPORAL_ADDRESS and TEMPORAL_NAMESPACE say', async () => {
    const target = resolveTarget(configOf({ TEMPORAL_ADDRESS: 'there:7233', TEMPORAL_NAMESPACE: 'mine' }));

    expect(target).toMatchObject({ address: 'there:7233', namespace: 'mine', source: 'environment' });
  });

  test('an empty TEMPORAL_ADDRESS says nothing', async () => {
    expect(resolveTarget(configOf({ TEMPORAL_ADDRESS: '', TEMPORAL_API_KEY: '' }))).toMatchObject({
      source: 'default',
      apiKey: false,
    });
  });

  test("a profile of Temporal's configuration file says", async () => {
    const target = resolveTarget(configOf(await profile(twoProfiles)));

    expect(target).toMatchObject({ address: 'ours.example:7233', namespace: 'team', source: 'profile', tls: false });
  });

  test('TEMPORAL_PROFILE chooses the profile, and a key turns TLS on', async () => {
    const target = resolveTarget(configOf({ ...(await profile(twoProfiles)), TEMPORAL_PROFILE: 'cloud' }));

    expect(target).toMatchObject({ address: 'cloud.example:7233', namespace: 'prod.abc', source: 'profile', tls: true, apiKey: true });
    expect(target.options()).toMatchObject({ apiKey: 'key-of-the-cloud', tls: true });
  });

  test('variables win over the profile, and code over both', async () => {
    const env = { ...(await profile(twoProfiles)), TEMPORAL_ADDRESS: 'there:7233' };

    expect(resolveTarget(configOf(env))).toMatchObject({ address: 'there:7233', namespace: 'team', source: 'environment' });
    expect(resolveTarget(loadConfig({ address: 'here:7233', namespace: 'n' }, env))).toMatchObject({
      address: 'here:7233',
      namespace: 'n',
      source: 'code',
    });
  });

  test('a profile that does not exist is said to', async () => {
    const { type, message } = await failure(connectClient(configOf({ ...(await profile(twoProfiles)), TEMPORAL_PROFILE: 'stage' })));

    expect(type).toBe('Connection.Failed');
    expect(message).toContain("Profile 'stage' not found");
    expect(message).toContain(join(directory, 'temporal.toml'));
  });

  test('the record of a process that is not our server says nothing', async () => {
    const record = { address: '127.0.0.1:1', uiUrl: 'http://127.0.0.1:2', database: join(directory, 'temporal.db'), startedAt: '' };
    writeServerRecord(directory, { ...record, pid: process.pid });

    expect(resolveTarget(configOf({}))).toMatchObject({ source: 'default' });
  });
});

describe('a connection', () => {
  test('of a client works', async () => {
    const { connection, namespace, address } = await connectClient(devServerConfig());

    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    await connection.close();

    expect(serverVersion).toMatch(/^\d+\./);
    expect({ namespace, address }).toEqual({ namespace: 'default', address: temporalForTests().address });
  });

  test('of a worker works', async () => {
    const { connection, namespace } = await connectWorker(devServerConfig());

    const described = await connection.workflowService.describeNamespace({ namespace });
    await connection.close();

    expect(described.namespaceInfo?.name).toBe('default');
  });

  test('waits for a server that is just starting', async () => {
    const [host, port] = temporalForTests().address.split(':') as [string, string];
    const address = `127.0.0.1:${await freePort([])}`;
    const late = createServer((socket) => {
      const onward = connect(Number(port), host);
      socket.pipe(onward).pipe(socket);
      socket.on('error', () => onward.destroy());
      onward.on('error', () => socket.destroy());
    });
    const connecting = connectClient(devServerConfig({ address }));
    await sleep(700);
    late.listen(Number(address.split(':')[1]), '127.0.0.1');

    const { connection } = await connecting;

    await connection.close();
    late.close();
  });
});

describe('a connection that fails says what was tried, why, and what to do', () => {
  test('when nothing listens', async () => {
    const started = Date.now();
    const { type, message, details } = await failure(
      connectClient(configOf({ TEMPORAL_ADDRESS: '127.0.0.1:1', TEMPORAL_NAMESPACE: 'n' }), { timeoutMs: 500 }),
    );

    expect(type).toBe('Connection.Failed');
    expect(message).toBe(
      'No Temporal server could be reached at 127.0.0.1:1 (from TEMPORAL_ADDRESS; namespace "n", no TLS, no API key): ' +
        'nothing listens there (connection refused). Check that the server is up and that its address, from TEMPORAL_ADDRESS, is right.',
    );
    expect(details).toEqual([
      {
        address: '127.0.0.1:1',
        source: 'environment',
        namespace: 'n',
        tls: false,
        apiKey: false,
        reason: 'nothing listens there (connection refused)',
      },
    ]);
    expect(Date.now() - started).toBeLessThan(9000);
  });

  test('at once, when nobody named an address and nothing listens at the default one', async () => {
    const target = { ...resolveTarget(configOf({})), address: '127.0.0.1:1', options: () => ({ address: '127.0.0.1:1' }) };
    const started = Date.now();

    const { message } = await failure(checkTarget(target));

    expect(Date.now() - started).toBeLessThan(9000);
    expect(message).toContain('Start one with `npx ostinato dev`, or set TEMPORAL_ADDRESS.');
  });

  test('for workers as for clients', async () => {
    const { type, message } = await failure(connectWorker(configOf({ TEMPORAL_ADDRESS: '127.0.0.1:1' }), { timeoutMs: 300 }));

    expect(type).toBe('Connection.Failed');
    expect(message).toContain('connection refused');
  });

  test('when the namespace does not exist', async () => {
    const { type, message } = await failure(connectClient(devServerConfig({ namespace: 'nobody' })));

    expect(type).toBe('Connection.Failed');
    expect(message).toContain('has no namespace "nobody". Create it with `temporal operator namespace create --namespace nobody');
  });

  test('when something else listens there', async () => {
    await using other = await listening(createHttpServer((_request, response) => response.end('hello')));

    const { message } = await failure(connectClient(configOf({ TEMPORAL_ADDRESS: other.address }), { timeoutMs: 500 }));

    expect(message).toContain('what listens there does not answer as Temporal does, or expects TLS (TEMPORAL_TLS=true)');
  });

  test('when the server is silent, within the time given', async () => {
    await using silent = await listening(createServer());
    const started = Date.now();

    const { message } = await failure(connectClient(configOf({ TEMPORAL_ADDRESS: silent.address }), { timeoutMs: 600 }));

    expect(Date.now() - started).toBeLessThan(9000);
    expect(message).toMatch(/no answer within 0\.6 seconds/);
  });

  test('when TLS meets a server without it', async () => {
    const config = configOf({ TEMPORAL_ADDRESS: temporalForTests().address.replace('127.0.0.1', 'localhost'), TEMPORAL_TLS: 'true' });

    const { message } = await failure(connectClient(config, { timeoutMs: 500 }));

    expect(message).toContain('with TLS, no API key');
    expect(message).toContain('it does not speak TLS, and TLS is on');
  });

  test('when a certificate cannot be read', async () => {
    const { message } = await failure(
      connectClient(configOf({ TEMPORAL_ADDRESS: 'a:1', TEMPORAL_TLS_CLIENT_CERT_PATH: '/nowhere/cert.pem' })),
    );

    expect(message).toContain('settings of the Temporal connection cannot be read');
    expect(message).toContain('/nowhere/cert.pem');
  });

  test.each(['sk-secret-key', 'sk-secret-key\nwith a line break'])('without showing a key', async (key) => {
    const config = configOf({ TEMPORAL_ADDRESS: 'localhost:1', TEMPORAL_API_KEY: key });

    const { message, details, printed } = await failure(connectClient(config, { timeoutMs: 300 }));

    expect(message).toContain('with an API key');
    expect(JSON.stringify(details) + message + printed + inspect(resolveTarget(config))).not.toContain('sk-secret-key');
  });
});

test('a run has a page in the Temporal UI, whatever its id', () => {
  expect(temporalUiUrl('http://127.0.0.1:8233/', 'default')).toBe('http://127.0.0.1:8233/namespaces/default/workflows');
  expect(temporalUiUrl('http://127.0.0.1:8233', 'n', 'session/guide/42')).toBe(
    'http://127.0.0.1:8233/namespaces/n/workflows/session%2Fguide%2F42',
  );
  expect(temporalUiUrl('http://127.0.0.1:8233', 'n', 'a b', 'run')).toBe('http://127.0.0.1:8233/namespaces/n/workflows/a%20b/run/history');
});
