import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { startOstinato, type Running } from './cli/support.js';
import { temporalForTests } from './support/servers.js';

const root = fileURLToPath(new URL('..', import.meta.url));
let directory: string;
let env: Record<string, string>;
let worker: Running;

beforeAll(async () => {
  const { address, namespace } = temporalForTests();
  directory = await mkdtemp(join(tmpdir(), 'ostinato-examples-'));
  env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: `examples-${randomUUID()}`,
    OSTINATO_DATA_DIR: join(directory, 'data'),
  };
  worker = startOstinato(['worker'], { cwd: directory, env });
  await worker.says('Working on task queue');
});

afterAll(async () => {
  await worker?.[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

/** Runs it as the page of examples says, with what was built. Fails when the example's own checks do. */
async function example(name: string, ...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', `examples/${name}`, ...args], {
    cwd: root,
    env: { ...process.env, ...env, TSX_TSCONFIG_PATH: 'test/fixtures/built.tsconfig.json' },
  });
  return stdout;
}

test('a first agent uses its tool', async () => {
  expect(await example('01-first-agent.ts')).toMatch(/sunny[^]*2 model calls/);
});

test('an orchestration is watched while it runs', async () => {
  expect(await example('02-sequential.ts')).toMatch(/^\nreader:\n[^]*\neditor:\n/);
});

test('a session is left and picked up again', async () => {
  expect(await example('03-session.ts')).toMatch(/1823[^]*holds 4 messages/);
});

test('a conversation is saved in one process and gone on with in another', async () => {
  const [, id = ''] = /16-come-back\.ts (\w+)/.exec(await example('16-come-back.ts')) ?? [];

  expect(await example('16-come-back.ts', id)).toContain('1823');
});

test("a run is started and asked with Temporal's own client", async () => {
  const id = `examples/${randomUUID()}`;

  expect(await example('start.ts', id)).toMatch(new RegExp(`^Started ${id}\n[^]*tea`, 'i'));
  expect(await example('query.ts', id)).toMatch(/^sequential, completed, 2 turns, \d+ tokens\nuser: Write about tea[^]*\neditor: /);
});

test("a session is spoken to by signal with Temporal's own client", async () => {
  const id = `session/host/${randomUUID()}`;

  expect(await example('signal.ts', 'In 1823 Robert Bruce found tea plants.', id)).not.toBe('');
  expect(await example('signal.ts', 'When did Robert Bruce find tea plants?', id)).toContain('1823');
});

// Each checks its own answer, too.
test.each([
  ['04-concurrent.ts', /./],
  ['05-vote.ts', /./],
  ['06-chaining.ts', /./],
  ['07-routing.ts', /./],
  ['08-structured.ts', /./],
  ['09-handoff.ts', /./],
  ['10-person.ts', /> /],
  ['11-group-chat.ts', /writer: [^]*reviewer: [^]*APPROVED/],
  ['12-selector.ts', /analyst speaks, chosen by manager[^]*editor speaks/],
  ['13-magentic.ts', /./],
  ['14-nested.ts', /./],
  ['15-agent-as-tool.ts', /./],
  ['18-refund.ts', /For finance: desk wants to call refund/],
  ['19-content-review.ts', /> \{"decision":"revise"[^]*> "approve"/],
  ['21-plan-review.ts', /temporal workflow update execute [^]*request\.answered plan-0-0[^]*"approve" by anna/],
  ['17-fork-and-rollback.ts', /- user: We take the train[^]*\+ user: We take the boat[^]*300/],
  ['20-support-chat.ts', /Anna here[^]*anna → user → assistant/],
])('%s runs without a key and is right', async (name, words) => {
  expect(await example(name)).toMatch(words);
});
