/** A run or session is deleted by the command: how far it is, that it is done, and what is refused. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { DeletionReport } from '../../src/client.js';
import { temporalForTests } from '../support/servers.js';
import { ostinato, ostinatoProcess, startOstinato, type Ended, type Running } from './support.js';

let cwd: string;
let env: Record<string, string>;
let worker: Running;
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'ostinato-cli-delete-'));
  const { address, namespace } = temporalForTests();
  env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: `delete-${randomUUID()}`,
    OSTINATO_DATA_DIR: join(cwd, 'data'),
  };
  worker = startOstinato(['worker'], { cwd, env });
  await worker.says('Working on task queue');
});
afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(cwd, { recursive: true, force: true });
});

const ask = (...args: string[]) => ostinato(args, { cwd, env });
const uniqueId = (name: string) => `${name}/${randomUUID().slice(0, 8)}`;
/** It takes Temporal its time to delete what has just ended. */
const patience = ['--timeout', '4 minutes'];
const reportsIn = ({ out }: Ended) => (JSON.parse(out) as { runs: DeletionReport[] }).runs;

/** Its id, once it has ended. */
async function ended(): Promise<string> {
  const id = uniqueId('tea');
  expect((await ask('run', 'sequential', '--agents', 'writer', '--task', 'Robert Bruce found tea.', '--id', id)).code).toBe(0);
  return id;
}

function expectOneMessage({ out, err, code }: Ended, message: RegExp, exitCode: number): void {
  expect(out).toBe('');
  expect(err).toMatch(message);
  expect(err.match(/✗/g)).toHaveLength(1);
  expect(err).not.toMatch(/^\s+at /m);
  expect(code).toBe(exitCode);
}

test('all but its texts goes at once; these wait for the grace, and the same command says how far it is', async () => {
  const id = await ended();

  const { code, out, err } = await ostinatoProcess(['delete', id, ...patience], { cwd, env });
  const again = await ask('delete', id, '--json', ...patience);

  expect(code).toBe(0);
  expect(out).toMatch(
    new RegExp(`^${id}: 1 execution, 1 snapshot, \\d+ events deleted; its texts are still to be deleted, not before 20.*Z\\.\n$`),
  );
  expect(err).toBe(`How far it is:  npx ostinato delete ${id}\n`);
  expect(again.code).toBe(0);
  expect(reportsIn(again)).toEqual([
    {
      runId: id,
      status: 'pending',
      removed: { executions: 1, snapshots: 1, events: expect.any(Number), texts: 0, bytes: 0 },
      next: expect.stringMatching(/^20.*Z$/),
    },
  ]);
  expectOneMessage(await ask('status', id), /^✗ There is no run /, 4);
  expect((await ask('snapshots', id)).out).toBe('');
});

test('with --now its texts go as well, and what was found afterwards is told, as often as it is asked', async () => {
  const id = await ended();

  const { code, out, err } = await ostinatoProcess(['delete', id, '--now', ...patience], { cwd, env });
  const again = await ask('delete', id, '--json', ...patience);

  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toMatch(
    new RegExp(
      `^${id} is deleted: 1 execution, 1 snapshot, \\d+ events, \\d+ texts? \\([\\d.]+ kB\\)\\.( \\d+ texts? stays?: others refer to \\w+\\.)? Looked for again at 20.*Z: nothing else is there\\.\n$`,
    ),
  );
  expect(reportsIn(again)).toMatchObject([{ runId: id, status: 'done', proof: { executions: 0, snapshots: 0, events: 0 } }]);
  expectOneMessage(await ask('transcript', id), /^✗ There is no run /, 4);
});

test('one that is open is refused, and stays; with --force it is ended first', async () => {
  const id = uniqueId('open');
  await ask('start', 'session', '--agents', 'writer', '--id', id);
  await ask('say', id, 'Hello.');

  const refused = await ask('delete', id);
  const json = await ask('delete', id, '--json');
  const said = await ask('say', id, 'Are you there?');
  const forced = await ask('delete', id, '--force', '--json', ...patience);

  expectOneMessage(
    refused,
    new RegExp(`^✗ ${id} is open\\. End it first, \`npx ostinato cancel ${id}\`, or delete it with --force\\.\n$`),
    2,
  );
  expect(JSON.parse(json.out)).toMatchObject({ error: { type: 'Run.Open' } });
  expect(json.code).toBe(2);
  expect(said.code).toBe(0);
  expect(forced.code).toBe(0);
  expect(reportsIn(forced)).toMatchObject([{ runId: id, removed: { executions: 1 } }]);
  expectOneMessage(await ask('status', id), /^✗ There is no run /, 4);
});

test('one that nobody knows is not found, whichever way it is asked for', async () => {
  for (const more of [[], ['--now'], ['--force']])
    expectOneMessage(await ask('delete', 'tea/none', ...more), /^✗ There is nothing of "tea\/none" here\.\n$/, 4);

  const json = await ask('delete', 'tea/none', '--json');

  expect(JSON.parse(json.out)).toMatchObject({ error: { type: 'Run.NotFound' } });
  expect(json.code).toBe(4);
});

test('several are deleted by one command', async () => {
  const ids = [await ended(), await ended()];

  const reports = reportsIn(await ask('delete', ...ids, ids[0]!, '--json', ...patience));

  expect(reports.map(({ runId, removed }) => [runId, removed.executions])).toEqual(ids.map((id) => [id, 1]));
});
