/** Encryption from the command line: a key is made, a worker and the commands use it, and Temporal's own command reads and writes with it. */
import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findTemporal } from '../../src/dev/temporal-binary.js';
import { freePort } from '../../src/dev/ports.js';
import { temporalForTests } from '../support/servers.js';
import { ostinato, startOstinato, type Running } from './support.js';

const task = 'Tea from Assam is grown near the Brahmaputra. In 1823 Robert Bruce found wild tea plants there.';
let cwd: string;
let env: Record<string, string>;
let binary: string;
let url: string;
const running: Running[] = [];

beforeAll(async () => {
  const { address, namespace, cacheDir } = temporalForTests();
  cwd = await mkdtemp(join(tmpdir(), 'ostinato-codec-'));
  const key = (await ostinato(['key'], { cwd })).out.trim();
  expect(key).toMatch(/^key-[0-9a-f]{8}:[A-Za-z0-9+/]{43}=$/);
  env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: `codec-${randomUUID()}`,
    OSTINATO_DATA_DIR: join(cwd, 'data'),
    OSTINATO_ENCRYPTION_KEYS: key,
  };
  binary = await findTemporal({ cacheDir, env: process.env });
  const worker = startOstinato(['worker'], { cwd, env });
  running.push(worker);
  await Promise.all([worker.says('Working on task queue'), serveCodec()]);
});

/** Somebody may take a port between our looking and its listening. */
async function serveCodec(attempts = 3): Promise<void> {
  const port = await freePort([0]);
  url = `http://127.0.0.1:${port}`;
  const server = startOstinato(['codec-server', '--port', String(port)], { cwd, env });
  running.push(server);
  await server.says(url).catch(async (error: unknown) => {
    if (attempts === 1) throw error;
    await serveCodec(attempts - 1);
  });
}

afterAll(async () => {
  for (const each of running) await each[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

async function temporal(...args: string[]): Promise<string> {
  const all = ['workflow', ...args, '--address', env.TEMPORAL_ADDRESS!, '--namespace', env.TEMPORAL_NAMESPACE!, '--output', 'json'];
  return (await promisify(execFile)(binary, all, { cwd, maxBuffer: 1e8 })).stdout;
}

/** What a history in JSON holds, where it is not encrypted. */
function saidIn(history: string): string {
  return [...history.matchAll(/"data": ?"([^"]*)"/g)].map(([, data]) => Buffer.from(data!, 'base64').toString()).join('\n');
}

test('a run that our command has started is read by the one of Temporal with the codec server, and not without', async () => {
  const ended = await ostinato(['run', 'sequential', '--agents', 'writer', '--task', task, '--id', `ours/${randomUUID()}`, '--json'], {
    cwd,
    env,
  });
  const id = /"runId":"(ours[^"]*)"/.exec(ended.out)?.[1] as string;
  expect(ended.code).toBe(0);

  const sealed = await temporal('show', '--workflow-id', id);
  const opened = await temporal('show', '--workflow-id', id, '--codec-endpoint', url);

  expect(saidIn(sealed)).not.toContain('Brahmaputra');
  expect(sealed).toContain(Buffer.from('binary/encrypted').toString('base64'));
  expect(saidIn(opened)).toContain('Brahmaputra');
  expect(await temporal('result', '--workflow-id', id, '--codec-endpoint', url)).toContain('completed');
});

test('a run that the command of Temporal starts with the codec server is encrypted, and one without is taken too', async () => {
  const [sealed, plain] = [`sealed/${randomUUID()}`, `plain/${randomUUID()}`];
  const input = JSON.stringify({ agents: [{ name: 'poet', instructions: 'Write.' }], task });
  const start = (id: string) => [
    'start',
    '--type',
    'sequential',
    '--task-queue',
    env.OSTINATO_TASK_QUEUE!,
    '--workflow-id',
    id,
    '--input',
    input,
  ];
  await temporal(...start(sealed), '--codec-endpoint', url);
  await temporal(...start(plain));

  for (const id of [sealed, plain]) {
    expect(JSON.parse((await ostinato(['result', id, '--json'], { cwd, env })).out)).toMatchObject({ status: 'completed' });
  }
  expect(saidIn(await temporal('show', '--workflow-id', sealed))).not.toContain('Brahmaputra');
  expect(await temporal('query', '--workflow-id', sealed, '--type', 'transcript', '--codec-endpoint', url)).toContain('Brahmaputra');
  // The input alone: what our worker made of it is not.
  expect(saidIn(await temporal('show', '--workflow-id', plain)).match(/Brahmaputra/g)).toHaveLength(1);
});

test('a command without the key says which one it needs', async () => {
  const id = `locked/${randomUUID()}`;
  await ostinato(['start', 'sequential', '--agents', 'writer', '--task', task, '--id', id], { cwd, env });

  const { code, err } = await ostinato(['status', id], { cwd, env: { ...env, OSTINATO_ENCRYPTION_KEYS: '' } });

  expect(code).toBe(2);
  expect(err).toMatch(/is encrypted with the key "key-[0-9a-f]{8}", which this process does not have \(it has: none\)/);
  expect(await ostinato(['codec-server'], { cwd })).toMatchObject({
    code: 2,
    err: expect.stringContaining('set OSTINATO_ENCRYPTION_KEYS'),
  });
});

describe('the codec server', () => {
  const payload = { metadata: { encoding: Buffer.from('json/plain').toString('base64') }, data: Buffer.from('"tea"').toString('base64') };
  const post = async (path: string, body: string, headers: Record<string, string> = {}) =>
    await fetch(`${url}${path}`, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

  test('encrypts, decrypts, and leaves what it cannot read as it is', async () => {
    const made = (await (await post('/encode', JSON.stringify({ payloads: [payload] }))).json()) as { payloads: (typeof payload)[] };
    const noise = { ...made.payloads[0]!, data: Buffer.from('noise').toString('base64') };
    const read = (await (
      await post('/some/where/decode', JSON.stringify({ payloads: [...made.payloads, payload, noise] }))
    ).json()) as object;

    expect(JSON.stringify(made)).not.toContain(payload.data);
    expect(read).toEqual({ payloads: [payload, payload, noise] });
  });

  test("answers Temporal's web pages, and no others", async () => {
    const ask = (origin: string) => post('/decode', JSON.stringify({ payloads: [payload] }), { origin });
    const allowed = await ask('http://localhost:8233');
    const preflight = await fetch(`${url}/decode`, { method: 'OPTIONS', headers: { origin: 'http://localhost:8080' } });
    const refused = await ask('http://evil.example');

    expect([allowed.status, allowed.headers.get('access-control-allow-origin')]).toEqual([200, 'http://localhost:8233']);
    expect([preflight.status, preflight.headers.get('access-control-allow-headers')]).toEqual([
      204,
      'content-type, x-namespace, authorization',
    ]);
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([403, null]);
    expect(await refused.json()).toMatchObject({ error: { type: 'Input.Invalid' } });
  });

  test.each([
    ['no JSON', '/decode', '{"payloads": [secret', 400, 'Input.Invalid'],
    ['no list', '/decode', '{"payloads": "all"}', 400, 'Input.Invalid'],
    ['nothing', '/decode', '{}', 200, undefined],
    ['no payload', '/decode', '{"payloads": [7]}', 200, undefined],
    ['metadata that is none', '/encode', '{"payloads": [{"metadata": "x"}]}', 400, 'Input.Invalid'],
    ['another path', '/keys', '{}', 404, 'Input.Invalid'],
    ['more than it reads', '/decode', 'x'.repeat(17 * 1024 * 1024), 413, 'Input.TooLarge'],
  ])('is asked with %s', async (_, path, body, status, type) => {
    const response = await post(path, body).catch(() => undefined);
    // A body that is not read to its end may break the connection before its answer is read.
    if (!response) return expect(status).toBe(413);
    const answer = await response.text();

    expect(response.status).toBe(status);
    expect((JSON.parse(answer) as { error?: { type: string } }).error?.type).toBe(type);
    expect(answer).not.toContain('secret');
  });
});
