/** What happens to a summary when the worker that makes it is killed. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connect, type OstinatoClient } from '../src/client.js';
import type { RunEvent } from '../src/contract/event.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../src/testing/index.js';
import { devServer, devServerConfig } from './support/servers.js';
import { temporaryDirectory } from './support/temporary.js';
import { WorkerProcess, writeBundle } from './support/workers.js';

const taskQueue = `compaction-loss-${randomUUID()}`;
let environment: TestWorkflowEnvironment;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let bundle: string;
let model: ScriptedModel;
let client: OstinatoClient;
let answer: (call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>;
const workers: WorkerProcess[] = [];

async function startWorkerProcess(): Promise<void> {
  const { address, namespace, dataDir } = devServerConfig({ dataDir: join(directory.path, 'data') });
  const times = { model: { heartbeatMs: 5000 }, tool: { heartbeatMs: 5000 } };
  const worker = await WorkerProcess.start({
    name: `worker-${workers.length + 1}`,
    config: { address: address!, namespace: namespace!, dataDir, taskQueue, times, worker: { stickyTimeoutMs: 1000 } },
    baseURL: model.baseURL,
    bundle,
    effects: join(directory.path, 'effects'),
  });
  workers.push(worker);
}

beforeAll(async () => {
  environment = await devServer();
  directory = await temporaryDirectory();
  await mkdir(join(directory.path, 'effects'));
  bundle = await writeBundle(directory.path);
  model = await scriptedModel((call) => answer(call));
  client = await connect({ config: devServerConfig({ dataDir: join(directory.path, 'data'), taskQueue }), temporal: environment.client });
});

afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.kill()));
  await client?.close();
  await model?.close();
  await environment?.teardown();
  await directory?.[Symbol.asyncDispose]();
});

const guide = { name: 'guide', instructions: 'Help.', model: 'guide', compaction: { summary: { over: 250, keepLast: 2, model: 'small' } } };
const long = (text: string) => `${text} ${'x'.repeat(200)}`;

test.each([
  { when: 'while the model thinks', point: undefined, summaries: 2 },
  { when: 'before it is stored', point: 'compact put before', summaries: 2 },
  { when: 'when it is stored, before that was reported', point: 'compact put after', summaries: 2 },
  { when: 'when it is done, in the call that was to hear it', point: 'callModel append message.completed after', summaries: 1 },
])('a worker is killed $when: the turn hears one summary, and none that is done is made again', async ({ point, summaries }) => {
  while (workers.filter(({ isAlive }) => isAlive).length < 2) await startWorkerProcess();
  const alive = workers.filter(({ isAlive }) => isAlive);
  model.calls.splice(0);
  answer = async (call) => {
    if (call.model !== 'small') return long(`re: ${call.messages.at(-1)?.content.split(' ')[0]}`);
    if (model.calls.filter((other) => other.model === 'small').length > 1) return 'the second summary';
    if (point === undefined) {
      await alive.find(({ name }) => name === call.headers['x-worker'])!.kill();
      return 'nobody hears this';
    }
    await Promise.all(alive.map((worker) => worker.dieAt(point)));
    return 'the first summary';
  };
  const session = client.session(guide, `killed ${point ?? 'in the call'}`);
  for (const n of [1, 2]) await session.say(long(`m${n}`));

  const said = session.say(long('m3'));
  const died = await Promise.race(alive.map(async (worker) => worker.ended.then(() => worker)));
  await Promise.all(alive.map((worker) => worker !== died && worker.dieAt('nowhere')));

  expect((await said).reply).toMatch(/^re: m3/);
  expect(model.calls.filter((call) => call.model === 'small')).toHaveLength(summaries);
  expect(model.calls.at(-1)?.heard(summaries === 1 ? 'the first summary' : 'the second summary')).toBe(true);
  expect(model.calls.at(-1)?.heard('m1 ')).toBe(false);
  const events: RunEvent[] = [];
  for await (const event of session.watch({ onIdle: async () => true })) events.push(event);
  expect(events.filter(({ type }) => type === 'conversation.compacted')).toHaveLength(1);
  expect((await session.status()).usage.modelCalls).toBe(4);
  expect(await session.transcript()).toHaveLength(6);
});
