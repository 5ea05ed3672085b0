/** What happens to runs when the processes that work on them are killed. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomUUID } from 'node:crypto';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connect, type OstinatoClient, type RunHandle } from '../src/client.js';
import type { RunEvent } from '../src/contract/event.js';
import { textOf } from '../src/contract/message.js';
import { scriptedModel, type ScriptedCall, type ScriptedModel, type ScriptedReply } from '../src/testing/index.js';
import { devServer, devServerConfig } from './support/servers.js';
import { temporaryDirectory } from './support/temporary.js';
import { watchedTexts, writtenTexts } from './support/watching.js';
import { effectCounts, toolCalls, WorkerProcess, writeBundle } from './support/workers.js';

const taskQueue = `loss-${randomUUID()}`;
let environment: TestWorkflowEnvironment;
let directory: Awaited<ReturnType<typeof temporaryDirectory>>;
let effects: string;
let bundle: string;
let model: ScriptedModel;
let client: OstinatoClient;
let answer: (call: ScriptedCall) => ScriptedReply | Promise<ScriptedReply>;
let workers: WorkerProcess[] = [];
let started = 0;
const starting: Promise<WorkerProcess>[] = [];

async function startWorkerProcess(): Promise<WorkerProcess> {
  const { address, namespace, dataDir } = devServerConfig({ dataDir: join(directory.path, 'data') });
  return await WorkerProcess.start({
    name: `worker-${(started += 1)}`,
    config: {
      address: address!,
      namespace: namespace!,
      dataDir,
      taskQueue,
      // As short as may be: a machine that is busy must not be taken for one that is lost.
      times: { model: { heartbeatMs: 5000 }, tool: { heartbeatMs: 5000 } },
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

/** Two workers for each test: one to lose, one to go on. */
beforeEach(async () => {
  workers = workers.filter(({ isAlive }) => isAlive);
  while (starting.length + workers.length < 2) startAnother();
  workers.push(...(await Promise.all(starting.splice(0))));
});

function startAnother(): void {
  starting.push(startWorkerProcess());
}

/** Its successor starts while the others go on. */
async function lose(worker: WorkerProcess): Promise<void> {
  await worker.kill();
  startAnother();
}

afterEach(() => {
  model.calls.splice(0);
});

afterAll(async () => {
  await Promise.all([...workers, ...(await Promise.all(starting))].map((worker) => worker.kill()));
  await client?.close();
  await model?.close();
  await environment?.teardown();
  await directory?.[Symbol.asyncDispose]();
});

const called = (name: string) => workers.find((worker) => worker.name === name)!;
const askedBy = (call: ScriptedCall) => call.headers['x-worker']!;
const toolResults = ({ messages }: ScriptedCall) => messages.filter(({ role }) => role === 'tool');
const conversationOf = ({ messages }: ScriptedCall) => messages.map(({ role, content }) => `${role}: ${content}`);
const speaker = (name: string, more: object = {}) => ({ name, instructions: 'Speak.', model: name, ...more });
const patience = { timeout: '2 minutes' };

async function until(isTrue: () => unknown): Promise<void> {
  while (!isTrue()) await sleep(20);
}

/** Everything that a watcher has seen of a run so far. */
async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  return events;
}

/** Events are numbered without gaps, turns begin and end once, and the words put together are those of the transcript. */
async function expectConsistent(run: RunHandle): Promise<RunEvent[]> {
  const events = await eventsOf(run);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  const texts = watchedTexts(events);
  for (const [step, text] of writtenTexts(await run.transcript())) expect(texts.get(step)).toBe(text);
  for (const once of ['turn.started', 'turn.completed'] as const) {
    const turns = events.filter(({ type }) => type === once).map(({ turn }) => turn);
    expect(turns).toEqual([...new Set(turns)]);
  }
  return events;
}

describe('a worker is killed', () => {
  test('in the middle of a model call: another asks the same again, and watchers are told to forget the first half', async () => {
    answer = () => (model.calls.length === 1 ? { hang: true, text: 'half an answer' } : 'the whole answer');
    const run = await client.start('sequential', { agents: [speaker('a')], task: 'go' });
    for await (const { type } of run.watch()) if (type === 'delta') break;

    await lose(called(askedBy(model.calls[0]!)));

    expect(await run.result(patience)).toMatchObject({ output: 'the whole answer' });
    const [first, second, ...others] = model.calls;
    expect(others).toEqual([]);
    expect(conversationOf(second!)).toEqual(conversationOf(first!));
    expect(askedBy(second!)).not.toBe(askedBy(first!));
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['go', 'the whole answer']);
    const events = await expectConsistent(run);
    expect(events.filter(({ type }) => type === 'step.restarted')).toMatchObject([{ step: '1/1', attempt: 2 }]);
    expect(await run.checkpoint()).toMatchObject({ retryCount: 1 });
  });

  test('after the model has answered, before that was reported: only the second answer counts', async () => {
    answer = () => `answer ${model.calls.length}`;
    await Promise.all(workers.map((worker) => worker.dieAt('callModel append message.completed after')));

    const run = await client.start('sequential', { agents: [speaker('a')], task: 'go' });
    await model.called(1);
    const first = called(askedBy(model.calls[0]!));
    await Promise.all(workers.map((worker) => worker !== first && worker.dieAt('nowhere')));

    expect(await run.result(patience)).toMatchObject({ output: 'answer 2' });
    expect(await first.ended).toBe('SIGKILL');
    expect(model.calls).toHaveLength(2);
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['go', 'answer 2']);
    await expectConsistent(run);
  });

  test('when a step was accepted, before the next: the finished step is not repeated', async () => {
    answer = (call) => `${call.model} has spoken`;
    const run = await client.start('sequential', { agents: ['a', 'b', 'c'].map((name) => speaker(name)), task: 'go' });
    await untilAccepted(run.id, 1);

    await lose(called(askedBy(model.calls[0]!)));

    expect(await run.result(patience)).toMatchObject({ output: 'c has spoken', rounds: 3 });
    expect(model.calls.filter((call) => call.model === 'a')).toHaveLength(1);
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual([
      'go',
      ...['a', 'b', 'c'].map((name) => `${name} has spoken`),
    ]);
    await expectConsistent(run);
  });

  test.each(['before', 'after'])(
    'in the middle of a tool call, %s its effect: another calls it with the same key, and it has one effect',
    async (hold) => {
      const text = `idempotent-${hold}`;
      answer = (call) => (toolResults(call).length > 0 ? 'done' : { calls: [{ name: 'note', arguments: { text, hold } }] });
      const run = await client.start('sequential', { agents: [speaker('a', { tools: ['note'] })], task: 'go' });
      await until(() => toolCalls(effects).some((line) => line.text === text));
      await until(() => hold === 'before' || effectCounts(effects).has(`note.${text}`));

      await lose(called(toolCalls(effects).at(-1)!.worker));

      expect(await run.result(patience)).toMatchObject({ output: 'done' });
      const [first, second, ...others] = toolCalls(effects).filter((line) => line.text === text);
      expect(others).toEqual([]);
      expect(second).toMatchObject({ key: first!.key, attempt: 2 });
      expect(second!.worker).not.toBe(first!.worker);
      expect(effectCounts(effects).get(`note.${text}`)).toBe(1);
      expect(model.calls).toHaveLength(2);
      expect(toolResults(model.calls[1]!).map(({ content }) => content)).toEqual([`noted ${text}`]);
      const events = await expectConsistent(run);
      expect(events.filter(({ type }) => type === 'tool.returned')).toMatchObject([{ step: '1/1/0', attempt: 2, ok: true }]);
    },
  );

  test('in the middle of a tool call that must not be repeated: the model is told that nobody knows, and so are watchers', async () => {
    answer = (call) =>
      toolResults(call).length > 0 ? 'I shall ask' : { calls: [{ name: 'post', arguments: { text: 'once', hold: true } }] };
    const run = await client.start('sequential', { agents: [speaker('a', { tools: ['post'] })], task: 'go' });
    await until(() => effectCounts(effects).has('post.once'));

    await lose(called(toolCalls(effects).at(-1)!.worker));

    expect(await run.result(patience)).toMatchObject({ output: 'I shall ask' });
    expect(toolCalls(effects).filter((line) => line.text === 'once')).toHaveLength(1);
    expect(effectCounts(effects).get('post.once')).toBe(1);
    expect(model.calls).toHaveLength(2);
    expect(toolResults(model.calls[1]!)[0]!.content).toContain('not known whether it took effect');
    const events = await expectConsistent(run);
    const told = events.filter((event) => event.type === 'tool.returned');
    expect(told).toMatchObject([{ step: '1/1/0', tool: 'post', ok: false }]);
    expect(told[0]!.text).toContain('not known whether it took effect');
  });

  test('while a session takes its events to the log: what came in between is told as well, nothing twice', async () => {
    answer = (call) => `heard ${call.messages.at(-1)?.content}`;
    const session = client.session(speaker('guide'), `log-${started}`);
    await session.say('one');
    await Promise.all(workers.map((worker) => worker.dieAt('publish append turn.completed after')));
    await session.send('two', 'm2');
    await until(() => workers.some(({ isAlive }) => !isAlive));

    // Its handler runs before everything that the lost worker had already told.
    await environment.client.workflow.getHandle(session.id).signal('say', { message: '' });
    await Promise.all(workers.map((worker) => worker.dieAt('nowhere')));

    expect((await session.say('three', patience)).reply).toBe('heard three');
    expect(model.calls).toHaveLength(3);
    const events = await expectConsistent(session);
    expect(events.filter(({ type }) => type === 'input.refused')).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'turn.completed').map(({ turn }) => turn)).toEqual([1, 2, 3]);
  });
});

describe('all workers are killed', () => {
  test('while a session is idle: what is said meanwhile, by signal or update, is answered once, in order', async () => {
    answer = (call) => `heard ${call.messages.at(-1)?.content}`;
    const session = client.session(speaker('guide'), `idle-${started}`);
    await session.say('one');

    await Promise.all(workers.map((worker) => worker.kill()));
    const handle = environment.client.workflow.getHandle(session.id);
    await handle.signal('say', { message: 'two', id: 'm2' });
    await handle.signal('say', { message: 'two', id: 'm2' });
    const third = session.say('three', { id: 'm3' });
    await sleep(500);
    workers = [await startWorkerProcess()];

    expect((await third).reply).toBe('heard three');
    expect(await session.turn('m2')).toMatchObject({ status: 'completed', reply: 'heard two' });
    expect(model.calls.map((call) => call.messages.at(-1)?.content)).toEqual(['one', 'two', 'three']);
    expect((await session.transcript()).map(({ message }) => textOf(message))).toEqual(
      ['one', 'two', 'three'].flatMap((text) => [text, `heard ${text}`]),
    );
    await expectConsistent(session);
  });
});

/** Returns when the server has accepted so many model calls of a run. */
async function untilAccepted(workflowId: string, count: number): Promise<void> {
  for (; ; await sleep(20)) {
    const { events = [] } = await environment.client.workflow.getHandle(workflowId).fetchHistory();
    const models = new Set<string>();
    let accepted = 0;
    for (const event of events ?? []) {
      const scheduled = event.activityTaskScheduledEventAttributes;
      if (scheduled?.activityType?.name === 'callModel') models.add(String(event.eventId));
      if (models.has(String(event.activityTaskCompletedEventAttributes?.scheduledEventId))) accepted += 1;
    }
    if (accepted >= count) return;
  }
}
