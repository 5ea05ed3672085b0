import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connect, type OstinatoClient } from '../src/client.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../src/testing/index.js';
import { startWorker } from '../src/worker.js';
import { devServer, devServerConfig } from './support/servers.js';
import { temporaryDirectory } from './support/temporary.js';
import { effectCounts, WorkerProcess, writeBundle } from './support/workers.js';

// Processes start slowly on a busy machine.

/** Time enough to end a step that only has to be reported, on a busy machine too. */
const shutdownGraceMs = 8000;
const heartbeatMs = 60_000;
const patience = { timeout: '100 seconds' } as const;
const taskQueue = `workers-${randomUUID()}`;
let environment: TestWorkflowEnvironment;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let effects: string;
let bundle: string;
let model: ScriptedModel;
let client: OstinatoClient;
let answer: (call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>;
const workers = new Map<string, WorkerProcess>();

async function startWorkerProcess(name: string): Promise<void> {
  const { address, namespace, dataDir } = devServerConfig({ dataDir: join(directory.path, 'data') });
  const worker = await WorkerProcess.start({
    name,
    // A worker that leaves properly is not missed: nothing here waits for a heartbeat to stay away.
    config: {
      address: address!,
      namespace: namespace!,
      dataDir,
      taskQueue,
      times: { model: { heartbeatMs }, tool: { heartbeatMs } },
      worker: { shutdownGraceMs, stickyTimeoutMs: 20_000 },
    },
    baseURL: model.baseURL,
    bundle,
    effects,
  });
  workers.set(name, worker);
}

beforeAll(async () => {
  environment = await devServer();
  directory = await temporaryDirectory();
  effects = join(directory.path, 'effects');
  await mkdir(effects);
  bundle = await writeBundle(directory.path);
  model = await scriptedModel((call) => answer(call));
  client = await connect({ config: devServerConfig({ dataDir: join(directory.path, 'data'), taskQueue }), temporal: environment.client });
  await Promise.all(['north', 'south'].map(startWorkerProcess));
});

afterEach(() => {
  model.calls.splice(0);
});

afterAll(async () => {
  await Promise.all([...workers.values()].map((worker) => worker.kill()));
  await client?.close();
  await model?.close();
  await environment?.teardown();
  await directory?.[Symbol.asyncDispose]();
});

const askedBy = (call: ScriptedCall) => call.headers['x-worker'];
const askedByAll = () => model.calls.map(askedBy);
const taskOf = ({ messages }: ScriptedCall) => messages.find(({ role }) => role === 'user')?.content ?? '';
const toolResults = ({ messages }: ScriptedCall) => messages.filter(({ role }) => role === 'tool').length;
const speaker = (name: string, more: object = {}) => ({ name, instructions: 'Speak.', model: name, ...more });

describe('two workers', () => {
  test('share many runs: each does some, each run is done once', async () => {
    answer = (call) => {
      if (call.model === 'writer') return `written ${taskOf(call)}`;
      return toolResults(call) > 0 ? 'looked' : { calls: [{ name: 'note', arguments: { text: taskOf(call) } }] };
    };
    const tasks = Array.from({ length: 24 }, (_, i) => `task-${i}`);

    const runs = await Promise.all(
      tasks.map((task) => client.start('sequential', { agents: [speaker('looker', { tools: ['note'] }), speaker('writer')], task })),
    );
    const results = await Promise.all(runs.map((run) => run.result(patience)));

    expect(results.map(({ output }) => output)).toEqual(tasks.map((task) => `written ${task}`));
    expect(model.calls).toHaveLength(3 * tasks.length);
    expect(new Set(askedByAll())).toEqual(new Set(['north', 'south']));
    expect(tasks.map((task) => effectCounts(effects).get(`note.${task}`))).toEqual(tasks.map(() => 1));
  });

  test('take turns at one run, each time without ever having seen it: every call hears all, and nobody asks the run', async () => {
    const calls = 8;
    // More than is sent along, more than stays in the workflow, and a lot of small things.
    const texts = Array.from({ length: calls }, (_, i) => `reply ${i} ${'x'.repeat(i === 3 ? 40_000 : i === 5 ? 100_000 : 10)}`);
    let asked = 0;
    answer = async (call) => {
      const [here, there] = askedBy(call) === 'north' ? ['north', 'south'] : ['south', 'north'];
      const i = asked++;
      // The other one takes over with the reply that this one is waiting for.
      await workers.get(there)!.work();
      void workers.get(here)!.rest();
      return i + 1 < calls ? { text: texts[i], calls: [{ name: 'note', arguments: { text: `step-${i}` } }] } : { text: texts[i] };
    };
    await workers.get('south')!.rest();
    const queries = () => [...workers.values()].flatMap((worker) => worker.queries).length;
    const queriesBefore = queries();

    const run = await client.start('sequential', { agents: [speaker('walker', { tools: ['note'] })], task: 'walk' });
    await model.called(calls);
    const result = await run.result(patience);

    expect(result.output).toBe(texts.at(-1));
    expect(askedByAll()).toEqual(texts.map((_, i) => (i % 2 === 0 ? 'north' : 'south')));
    for (const [i, call] of model.calls.entries()) {
      const heard = call.messages.filter(({ role }) => role !== 'system').map(({ role, content }) => `${role}: ${content}`);
      const said = texts.slice(0, i).flatMap((text, step) => [`assistant: ${text}`, `tool: noted step-${step}`]);
      expect(heard).toEqual(['user: walk', ...said]);
    }
    expect(queries() - queriesBefore).toBeLessThanOrEqual(0.02 * calls);
    await workers.get('south')!.work();
  });
});

describe('an immediate cancel', () => {
  test('from another process aborts the model call, long before that would miss a heartbeat', async () => {
    answer = () => ({ hang: true, text: 'half an' });
    const run = await client.start('sequential', { agents: [speaker('slow')], task: 'cancel me' });
    await model.called(1);

    const began = Date.now();
    const gone = new Promise((resolve) => model.calls[0]!.signal.addEventListener('abort', resolve));
    await run.cancel({ mode: 'immediate' });
    await gone;

    expect(Date.now() - began).toBeLessThan(heartbeatMs / 3);
    expect(await run.result()).toMatchObject({ status: 'cancelled' });
  });
});

describe('limits of a provider hold for all workers together', () => {
  test('calls at the same time', async () => {
    let now = 0;
    let most = 0;
    answer = async () => {
      most = Math.max(most, (now += 1));
      // The first one waits for a second.
      await model.called(2);
      await sleep(150);
      now -= 1;
      return 'done';
    };

    const runs = await Promise.all(
      Array.from({ length: 14 }, () => client.start('sequential', { agents: [speaker('few', { model: 'few/any' })], task: 'go' })),
    );
    await Promise.all(runs.map((run) => run.result(patience)));

    expect(most).toBe(2);
    expect(model.calls).toHaveLength(14);
    expect(new Set(askedByAll())).toEqual(new Set(['north', 'south']));
  });

  test('calls per second', async () => {
    const before = Date.now();
    const began: number[] = [];
    answer = () => {
      began.push(Date.now());
      return 'done';
    };

    const runs = await Promise.all(
      Array.from({ length: 20 }, () => client.start('sequential', { agents: [speaker('slow', { model: 'slow/any' })], task: 'go' })),
    );
    await Promise.all(runs.map((run) => run.result(patience)));

    expect(began).toHaveLength(20);
    // A second's worth may go at once; then four a second, over both. A busy machine is late, never early.
    for (const [i, at] of began.entries()) expect([i, at - before > ((i - 5) / 4) * 1000]).toEqual([i, true]);
    expect(new Set(askedByAll())).toEqual(new Set(['north', 'south']));
  });
});

describe('a worker that cannot start', () => {
  test('says why, whatever it has opened already', async () => {
    const config = devServerConfig({ dataDir: join(directory.path, 'data'), taskQueue: `never-${randomUUID()}` });
    const providers = model.providers({ maxCallsPerSecond: 1 });

    await expect(startWorker({ config, providers, workflowBundle: { code: 'this is no code' } })).rejects.toThrow('Workflow Bundle');
  });
});

describe('a worker that is asked to stop by SIGTERM', () => {
  test('ends the step in flight, reports it, and exits with 0; another goes on', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => (release = resolve));
    answer = async (call) => {
      if (call.model === 'second') return 'the second reply';
      await held;
      return 'the first reply';
    };
    const run = await client.start('sequential', { agents: [speaker('first'), speaker('second')], task: 'go' });
    await model.called(1);
    const [leaving] = askedByAll() as [string];

    const { exit } = await workers.get(leaving)!.terminate();
    await sleep(700);
    release();

    expect(await exit).toBe(0);
    expect(await run.result(patience)).toMatchObject({ output: 'the second reply' });
    expect(model.calls.map((call) => call.model)).toEqual(['first', 'second']);
    expect(askedBy(model.calls[1]!)).not.toBe(leaving);
    await startWorkerProcess(leaving);
  });

  test('gives back a step that does not end in time; another repeats it at once', async () => {
    answer = () => (model.calls.length === 1 ? { hang: true, text: 'half an' } : 'the whole answer');
    const run = await client.start('sequential', { agents: [speaker('first')], task: 'go' });
    await model.called(1);
    const [leaving] = askedByAll() as [string];

    const began = Date.now();
    const { exit } = await workers.get(leaving)!.terminate();
    expect(await exit).toBe(0);

    expect(await run.result(patience)).toMatchObject({ output: 'the whole answer' });
    expect(Date.now() - began).toBeLessThan(heartbeatMs * 0.8);
    expect(model.calls).toHaveLength(2);
  });
});
