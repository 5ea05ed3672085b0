/** What people are asked in all runs, as the command shows it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/eventually.js';
import { devServer, temporalForTests } from '../support/servers.js';
import { openWorld, type World } from '../support/world.js';
import { ostinato } from './support.js';

let environment: TestWorkflowEnvironment;
let world: World;
let at: { cwd: string; env: Record<string, string> };
beforeAll(async () => {
  environment = await devServer();
  const cwd = await mkdtemp(join(tmpdir(), 'ostinato-requests-'));
  const dataDir = join(cwd, 'data');
  world = await openWorld({ environment, script: ['Green \u001b[31mor black?'], config: { dataDir } });
  const { address, namespace } = temporalForTests();
  const env = {
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: namespace,
    OSTINATO_TASK_QUEUE: world.taskQueue,
    OSTINATO_DATA_DIR: dataDir,
  };
  at = { cwd, env };
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
  if (at) await rm(at.cwd, { recursive: true, force: true });
});

test('without a run, all that waits is there with the command to answer', async () => {
  expect((await ostinato(['requests'], at)).err).toContain('No open run asks anybody anything.');
  const agents = [{ name: 'clerk', instructions: 'Ask.' }];
  const run = await world.client.start('handoff', { agents, task: 'Buy tea', options: { person: true } });

  const { out, code } = await eventually(async () => {
    const said = await ostinato(['requests'], at);
    expect(said.out).toContain(run.id);
    return said;
  });

  expect(code).toBe(0);
  expect(out).toMatch(/question-1 {2}question from clerk, just now|question-1 {2}question from clerk, \d+ s ago/);
  expect(out).toContain('Green [31mor black?');
  expect(out).toContain(`npx ostinato respond ${run.id} question-1`);
  expect((await ostinato(['requests', '--for', 'anna,finance'], at)).err).toContain('No open run asks anna or finance anything.');
  const { out: json } = await ostinato(['requests', '--for', 'anybody', '--json'], at);
  expect(JSON.parse(json)).toMatchObject([{ runId: run.id, pattern: 'handoff', requests: [{ requestId: 'question-1' }] }]);
  await run.cancel();
});
