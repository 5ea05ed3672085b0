import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { RunHandle, WaitingRun } from '../../src/client.js';
import { builtWorkflows } from '../support/built.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/servers.js';
import { openStage, type Stage } from '../support/stage.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

async function desk(stage: Stage, prompt = 'Green or black?'): Promise<RunHandle> {
  const { agent } = stage.actor([prompt], { name: 'clerk' });
  return await stage.world.client.start('handoff', { agents: [agent], task: 'Buy tea', options: { person: true } });
}

const summary = (waiting: WaitingRun[]) =>
  waiting.map(({ runId, requests }) => [runId, ...requests.map(({ requestId }) => requestId)]).sort();

const attributesOf = async (run: RunHandle) =>
  (await environment.client.workflow.getHandle(run.id).describe()).searchAttributes.OstinatoWaitingFor;

test('what waits is found in all open runs, and no more when it was answered', async () => {
  await using stage = await openStage({ environment });
  const { client } = stage.world;
  const runs = [await desk(stage), await desk(stage)];
  const talk = client.session(stage.actor(['hello']).agent, randomUUID());
  await talk.say('hi');

  await eventually(async () => expect(summary(await client.requests())).toEqual(runs.map(({ id }) => [id, 'question-1']).sort()));
  expect(await attributesOf(runs[0]!)).toEqual(['anybody']);
  expect(await client.requests({ limit: 1 })).toHaveLength(1);
  expect(summary(await client.requests({ for: 'anybody' }))).toHaveLength(2);
  expect(await client.requests({ for: ['anna', "o'hara"] })).toEqual([]);

  await runs[0]!.respond('question-1', { end: true });
  await runs[0]!.result();
  await eventually(async () => expect(summary(await client.requests())).toEqual([[runs[1]!.id, 'question-1']]));
  expect(await attributesOf(runs[0]!)).toEqual(['nobody']);
  const history = await environment.client.workflow.getHandle(runs[0]!.id).fetchHistory();
  await Worker.runReplayHistory({ workflowBundle: builtWorkflows() }, history, runs[0]!.id);
  await runs[1]!.cancel();
});

test('what a nested run asks is found at the top, once', async () => {
  await using stage = await openStage({ environment });
  const { agent } = stage.actor(['Which one?'], { name: 'clerk' });
  const inner = { name: 'inner', pattern: 'handoff', agents: [agent], options: { person: true } };
  const run = await stage.world.client.start('sequential', { agents: [inner] as never, task: 'go' });

  await eventually(async () => expect(summary(await stage.world.client.requests())).toEqual([[run.id, 'op-1~question-1']]));
  await run.cancel();
});

test('it is found while a run sleeps, and after it has continued as new', async () => {
  await using stage = await openStage({ environment, historyEvents: 5, config: { worker: { sleepAfterMs: 300 } } });
  const run = await desk(stage);
  await eventually(async () => expect((await run.status()).asleep).toBeDefined());

  await eventually(async () => expect(summary(await stage.world.client.requests())).toEqual([[run.id, 'question-1']]));
  expect(await attributesOf(run)).toEqual(['anybody']);
  await run.cancel();
});

test('a run that nobody can ask just now is listed with the failure, and the others with what they ask', async () => {
  await using stage = await openStage({ environment });
  const run = await desk(stage);
  await eventually(async () => expect(summary(await stage.world.client.requests())).toEqual([[run.id, 'question-1']]));
  // Nothing of ours: it answers no such question.
  const strange = await environment.client.workflow.start('noSuchWorkflow', {
    workflowId: `strange/${randomUUID()}`,
    taskQueue: stage.world.taskQueue,
  });

  await eventually(async () => expect(await stage.world.client.list({ status: 'open' })).toHaveLength(2));
  const waiting = await stage.world.client.requests();

  expect(waiting.find(({ runId }) => runId === run.id)?.requests).toHaveLength(1);
  expect(waiting.find(({ runId }) => runId === strange.workflowId)).toMatchObject({
    requests: [],
    failure: { message: expect.any(String) },
  });
  await strange.terminate();
  await run.cancel();
});
