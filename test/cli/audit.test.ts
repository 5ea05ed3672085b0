import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';
import type { AuditEntry } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { devServer, temporalForTests } from '../support/servers.js';
import { openWorld, type World } from '../support/world.js';
import { ostinato } from './support.js';

let environment: TestWorkflowEnvironment;
let cwd: string;
let world: World;
let run: RunHandle;
let env: Record<string, string>;
beforeAll(async () => {
  environment = await devServer();
  cwd = await mkdtemp(join(tmpdir(), 'ostinato-audit-cli-'));
  const [dataDir, taskQueue] = [join(cwd, 'data'), `audit-${randomUUID()}`];
  const { address, namespace } = temporalForTests();
  env = { TEMPORAL_ADDRESS: address, TEMPORAL_NAMESPACE: namespace, OSTINATO_TASK_QUEUE: taskQueue, OSTINATO_DATA_DIR: dataDir };
  world = await openWorld({ environment, script: ['Green or black?', 'How much?'], config: { dataDir, taskQueue } });
  const clerk = { name: 'clerk', instructions: 'Ask.' };
  run = await world.client.start('handoff', { agents: [clerk], task: 'Buy tea', options: { person: true } }, { id: `tea/${taskQueue}` });
  await eventually(async () => expect((await run.status()).requests).toEqual(['question-1']));
  await run.respond('question-1', '=black', { by: 'anna' });
  await eventually(async () => expect((await run.status()).requests).toEqual(['question-2']));
});
afterAll(async () => {
  await run?.cancel();
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
  await rm(cwd, { recursive: true, force: true });
});

const audit = (...args: string[]) => ostinato(['audit', run.id, ...args], { cwd, env });

test('the record of a run is shown to people', async () => {
  const { code, out } = await audit();

  expect(code).toBe(0);
  expect(out).toMatch(
    /question-1 {2}question from clerk, .*Z\nGreen or black\?\n.*Z answered by anna: =black\n\nquestion-2 [^]*still waits\n$/,
  );
});

test('it is a document for programs', async () => {
  const entries = JSON.parse((await audit('--json')).out) as AuditEntry[];

  expect(entries).toEqual(JSON.parse(JSON.stringify(await run.audit())));
  expect(entries.map(({ requestId, status }) => `${requestId} ${status}`)).toEqual(['question-1 answered', 'question-2 pending']);
});

test('it is a table for spreadsheets, in which nothing is a formula', async () => {
  const rows = (await audit('--csv')).out.split('\r\n');

  expect(rows).toHaveLength(4);
  expect(rows[0]).toMatch(/^requestId,kind,agent,/);
  expect(rows[1]).toMatch(/^question-1,question,clerk,,,[^,]*Z,answered,anna,[^,]*Z,'=black,Green or black\?,/);
});

test('of a run that is not there it says so', async () => {
  const { code, err } = await ostinato(['audit', 'nobody/1'], { cwd, env });

  expect(code).not.toBe(0);
  expect(err).toContain('nobody/1');
});
