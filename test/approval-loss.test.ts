/** What happens to approvals when workers are killed: between asked, answered, effect done and result reported. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connect, type OstinatoClient, type RunHandle } from '../src/client.js';
import type { Json } from '../src/contract/json.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../src/testing/index.js';
import { eventually } from './support/eventually.js';
import { devServer, devServerConfig } from './support/servers.js';
import { temporaryDirectory } from './support/temporary.js';
import { effectCounts, toolCalls, WorkerProcess, writeBundle } from './support/workers.js';

const taskQueue = `approval-loss-${randomUUID()}`;
let environment: TestWorkflowEnvironment;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let effects: string;
let bundle: string;
let model: ScriptedModel;
let client: OstinatoClient;
let answer: (call: ScriptedCall) => ScriptedReply;
let worker: WorkerProcess;
let started = 0;

async function startWorkerProcess(): Promise<WorkerProcess> {
  const { address, namespace, dataDir } = devServerConfig({ dataDir: join(directory.path, 'data') });
  return await WorkerProcess.start({
    name: `worker-${(started += 1)}`,
    config: {
      address: address!,
      namespace: namespace!,
      dataDir,
      taskQueue,
      times: { model: { heartbeatMs: 2000 }, tool: { heartbeatMs: 2000 } },
      worker: { stickyTimeoutMs: 1000 },
    },
    baseURL: model.baseURL,
    bundle,
    effects,
  });
}

beforeAll(async () => {
  environment = await devServer();
  directory = await temporaryDirectory();
  effects = join(directory.path, 'effects');
  await mkdir(effects);
  bundle = await writeBundle(directory.path);
  model = await scriptedModel((call) => answer(call));
  client = await connect({ config: devServerConfig({ dataDir: join(directory.path, 'data'), taskQueue }), temporal: environment.client });
});
beforeEach(async () => {
  worker = worker?.isAlive ? worker : await startWorkerProcess();
});
afterEach(() => void model.calls.splice(0));
afterAll(async () => {
  await worker?.kill();
  await client?.close();
  await model?.close();
  await environment?.teardown();
  await directory?.[Symbol.asyncDispose]();
});

const results = (call: ScriptedCall) => call.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
const plain = (run: RunHandle) => environment.client.workflow.getHandle(run.id);
const patience = { timeout: '50 seconds' };

/** One agent that calls the tool once, and says what came of it. */
async function startWith(tool: 'note' | 'post', given: object): Promise<RunHandle> {
  answer = (call) => results(call).at(-1) ?? { calls: [{ name: tool, arguments: given as never }] };
  const agent = { name: 'desk', instructions: 'Act.', model: 'desk', tools: [{ tool, approval: true as const }] };
  return await client.start('sequential', { agents: [agent], task: 'go' });
}

async function asked(run: RunHandle, requestId = 'approve-1-1-0'): Promise<void> {
  await eventually(async () => expect((await run.status()).requests).toEqual([requestId]));
}

const linesOf = (text: string) => toolCalls(effects).filter((line) => line.text === text);
const effectsOf = (tool: string, text: string) => effectCounts(effects).get(`${tool}.${text}`) ?? 0;

describe('the worker is killed', () => {
  test('after the question: the answer that comes meanwhile counts, and the call runs once', async () => {
    const run = await startWith('note', { text: 'asked' });
    await asked(run);
    await worker.kill();
    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: 'approve', by: 'ann' });
    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: 'approve', by: 'bob' });
    worker = await startWorkerProcess();

    expect(await run.result(patience)).toMatchObject({ output: 'noted asked' });
    expect(linesOf('asked')).toHaveLength(1);
    expect(effectsOf('note', 'asked')).toBe(1);
    expect(await run.requests()).toMatchObject([{ status: 'answered', by: 'ann' }]);
    expect(model.calls).toHaveLength(2);
  });

  test.each([
    ['after the answer, before the effect', 'tool before its effect'],
    ['after the effect', 'tool after its effect'],
    ['after the result was told to watchers, before it was reported', 'callTool append tool.returned after'],
  ])('%s: nobody is asked again, and there is one effect under the key', async (_, point) => {
    const text = `point-${point.replaceAll(' ', '-').replaceAll('.', '-')}`;
    const run = await startWith('note', { text });
    await asked(run);
    await worker.dieAt(point);
    await run.respond('approve-1-1-0', 'approve', { by: 'ann' });
    await worker.ended;
    worker = await startWorkerProcess();

    expect(await run.result(patience)).toMatchObject({ output: `noted ${text}` });
    const [first, second, ...others] = linesOf(text);
    expect(others).toEqual([]);
    expect(second!.key).toBe(first!.key);
    expect(effectsOf('note', text)).toBe(1);
    expect(await run.requests()).toMatchObject([{ requestId: 'approve-1-1-0', status: 'answered', by: 'ann' }]);
    expect(model.calls).toHaveLength(2);
  });
});

describe('a call that must not be repeated is lost', () => {
  async function loseAfterEffect(text: string): Promise<RunHandle> {
    const run = await startWith('post', { text });
    await asked(run);
    await worker.dieAt('tool after its effect');
    await run.respond('approve-1-1-0', 'approve');
    await worker.ended;
    worker = await startWorkerProcess();
    await asked(run, 'unknown-1-1-0');
    return run;
  }

  test('a person is asked what became of it, and the agent hears what is answered', async () => {
    const run = await loseAfterEffect('done');
    const request = (await run.requests()).find(({ status }) => status === 'pending');
    expect(request).toMatchObject({
      kind: 'unknownOutcome',
      prompt: expect.stringContaining('it is not known whether it took effect'),
      call: { tool: 'post', arguments: { text: 'done' } },
    });
    const wrong: Json[] = [
      true,
      'done',
      { outcome: 'perhaps' },
      { outcome: 'retry', result: 1 },
      { outcome: 'failed', reason: 'x'.repeat(9000) },
    ];
    for (const response of wrong) await expect(run.respond('unknown-1-1-0', response)).rejects.toMatchObject({ type: 'Input.Invalid' });

    await run.respond('unknown-1-1-0', { outcome: 'done', result: { receipt: 7 } }, { by: 'ann' });

    expect(await run.result(patience)).toMatchObject({ output: '{"receipt":7}' });
    expect(linesOf('done')).toHaveLength(1);
    expect(effectsOf('post', 'done')).toBe(1);
  });

  test('it may be tried again, under the same key, and be lost again', async () => {
    const run = await loseAfterEffect('again');
    await worker.dieAt('tool before its effect');
    await run.respond('unknown-1-1-0', { outcome: 'retry' });
    await worker.ended;
    worker = await startWorkerProcess();
    await asked(run, 'unknown-1-1-0-2');
    await expect(run.respond('unknown-1-1-0', { outcome: 'done' })).rejects.toMatchObject({ type: 'Request.NotPending' });

    await plain(run).signal('respond', { requestId: 'unknown-1-1-0-2', response: { outcome: 'failed', reason: 'It was not there.' } });

    expect(await run.result(patience)).toMatchObject({ output: '"post" did not take effect. It was not there.' });
    const keys = linesOf('again').map(({ key }) => key);
    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(1);
  });
});
