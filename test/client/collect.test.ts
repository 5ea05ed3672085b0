/** What nothing refers to is deleted from the store; all that anything refers to is there afterwards, and goes on. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { QueryNotRegisteredError, WorkflowNotFoundError } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { OstinatoClient, type Collected, type RunExport, type RunHandle } from '../../src/client.js';
import { defineTool, failureOf, serializeAgentState, type RunInput } from '../../src/index.js';
import { openWorld, type Script, type World, type WorldOptions } from '../support/world.js';
import type { RunState } from '../../src/state/run-state.js';
import { eventually } from '../support/eventually.js';
import { memoryStore, type MemoryStore } from '../support/memory-store.js';
import { devServer } from '../support/servers.js';

const kilobyte = 1024;
/** A text of a size, different at every place. */
const text = (name: string, bytes: number) => `${name} `.repeat(Math.ceil(bytes / (name.length + 1))).slice(0, bytes);
const agent = (name: string, more: object = {}) => ({ name, model: name, instructions: `You are ${name}.`, ...more });
const [a, b, boss, clerk] = ['a', 'b', 'boss', 'clerk'].map((name) => agent(name)) as [never, never, never, never];
const read = defineTool({
  name: 'read',
  description: 'Reads a page.',
  input: z.object({ page: z.string(), bytes: z.number() }),
  run: ({ page, bytes }) => text(page, bytes),
});
const reading = { calls: [{ name: 'read', arguments: { page: 'page', bytes: 200_000 } }] };
const plan = ['{"text": "facts"}', '{"text": "plan"}'];
const document = (words: string) => {
  const about = { correlationId: words, createdAt: '2026-01-29T09:32:10.1234567+00:00' };
  const said = { contents: [{ $type: 'text', text: words }], role: 'user' };
  const conversationHistory = [{ $type: 'request', ...about, responseType: 'text', messages: [said] }];
  return JSON.stringify({ schemaVersion: '1.1.0', data: { conversationHistory } });
};

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const open = (script: Script, more: Partial<WorldOptions> = {}) => openWorld({ environment, script, ...more });

/** Without grace, which only tests may do: what nothing refers to is gone after the second time. */
async function collect({ client }: Pick<World, 'client'>, times = 1): Promise<Collected> {
  let collected: Collected | undefined;
  for (let i = 0; i < times; i++)
    collected = await client.collect({ grace: 0, anyGrace: true } as Parameters<OstinatoClient['collect']>[0]);
  return collected!;
}

/** Temporal lists runs with some delay. */
async function listed(world: World, runs: { id: string }[]): Promise<void> {
  await eventually(async () => {
    const ids = (await world.client.list({ limit: 1000 })).map(({ id }) => id);
    expect(ids).toEqual(expect.arrayContaining(runs.map(({ id }) => id)));
  });
}

/** All that can be had of runs. */
async function all(runs: RunHandle[]): Promise<unknown[]> {
  const had: unknown[] = [];
  for (const run of runs) {
    const { agents, status } = await run.status();
    for (const name of agents) had.push(serializeAgentState(await run.agentState(name)));
    had.push(await run.transcript(), status === 'completed' && (await run.result()));
  }
  return had;
}

const start = async (world: World, pattern: string, input: object) =>
  await world.client.start(pattern, { task: 'go', ...input } as RunInput);

/** What a run within is to be, of a member that has not spoken. */
async function prepared(run: RunHandle, { store }: World): Promise<string | undefined> {
  const { document: told } = await environment.client.workflow.getHandle(run.id).query<{ document: { state: RunState } }>('snapshot');
  return await store.blobs.get(told.state.team.members[1]?.nested?.prepared ?? '');
}

/** A client of a Temporal that knows these closed runs, each of which answers like this. */
function clientOf(store: MemoryStore, runs: { [id: string]: (query: string) => Promise<unknown> }): OstinatoClient {
  const executions = Object.keys(runs).map((workflowId) => ({
    workflowId,
    runId: 'run',
    status: { name: 'COMPLETED' },
    closeTime: new Date(),
  }));
  const touched = { history: { events: [{}, { workflowTaskCompletedEventAttributes: {} }] } };
  const temporal = {
    options: { namespace: 'default', loadedDataConverter: {} },
    withDeadline: (_: number, work: () => unknown) => work(),
    workflow: { list: () => executions, getHandle: (id: string) => ({ query: runs[id] }) },
    workflowService: { getWorkflowExecutionHistory: async () => touched },
  };
  return new OstinatoClient({ temporal: temporal as never, store, taskQueue: 'ostinato' }, async () => undefined);
}

/** Snapshots of runs of which Temporal knows nothing here: one that has ended, and one that waits for a person within a run within it. */
async function snapshotsFromElsewhere(longer: string): Promise<RunExport[]> {
  await using world = await open({ gone: [longer], boss: plan });
  const review = { name: 'review', pattern: 'magentic', agents: [b], options: { manager: { agent: boss }, planReview: true } };
  const [gone, waiting] = [
    await start(world, 'sequential', { agents: [agent('gone')] }),
    await start(world, 'sequential', { agents: [review] }),
  ];
  await gone.result();
  await eventually(async () => expect(await waiting.requests()).toHaveLength(1));
  const exports = [await gone.export(), await waiting.export()];
  await waiting.cancel({ mode: 'immediate' });
  await waiting.result();
  return exports;
}

describe('what is referenced stays:', () => {
  test('everything of runs that Temporal knows, and of snapshots on the list; an open run goes on', async () => {
    const long = (name: string) => text(name, 60 * kilobyte);
    const longer = text('of a run that is gone', 150 * kilobyte);
    const script: Script = {
      clerk: [...['1', '2', '3', '4', '5', '6', '7'].map(long), 'eight', 'loaded'],
      a: ['first'],
      b: [text('of b', 100_000)],
      boss: ['last'],
      reader: [reading, 'read'],
      ada: ['You are Ada.', 'Still Ada.'],
    };
    await using world = await open(script, { tools: [read] });
    const { client, store } = world;
    const session = client.session(clerk, randomUUID());
    for (const words of ['1', '2', '3', '4', '5', '6', '7']) await session.say(words);
    const imported = await client.importAgentState(document('My name is Ada.'));
    const ada = client.session(agent('ada'), randomUUID(), { states: { ada: imported } });
    await ada.say('Who am I?');
    const nested = await start(world, 'sequential', { agents: [a, { name: 'panel', pattern: 'sequential', agents: [b] }, boss] });
    const reader = await start(world, 'sequential', { agents: [agent('reader', { tools: ['read'] })] });
    for (const run of [nested, reader]) await run.result();
    const runs = [session, ada, nested, client.attach(`${nested.id}/2-panel`), reader] as RunHandle[];
    const { snapshotId: ofSession } = await session.save();
    const snapshots = [ofSession];
    for (const elsewhere of await snapshotsFromElsewhere(longer)) snapshots.push((await client.import(elsewhere)).id);
    await listed(world, runs);
    expect((await session.checkpoint()).transcript.segments.length).toBeGreaterThan(0);
    const seen = world.model.calls.find(({ model, messages }) => model === 'reader' && messages.length > 2)?.messages.at(-1)?.content;
    const [, whole] = / stored as (\w+)$/.exec(seen ?? '') ?? [];
    const garbage = await store.blobs.put('nobody refers to this');
    const before = { runs: await all(runs), exports: await Promise.all(snapshots.map((id) => client.export(id))) };

    const collected = await collect(world, 2);

    // Three of the runs have ended, and each has left one.
    expect(collected).toMatchObject({ runs: 5, snapshots: snapshots.length + 3, doomed: 0 });
    expect(collected.deleted).toBeGreaterThan(0);
    expect(await store.blobs.get(garbage)).toBeUndefined();
    expect(await all(runs)).toEqual(before.runs);
    expect(await Promise.all(snapshots.map((id) => client.export(id)))).toEqual(before.exports);
    expect(await store.blobs.get(whole!)).toBe(text('page', 200_000));
    expect(await store.blobs.get(imported)).toBe(document('My name is Ada.'));
    // Another worker has nothing in memory.
    await world.worker.stop();
    await world.startWorker();
    expect((await session.say('8')).reply).toBe('eight');
    expect(world.model.calls.at(-1)?.heard('assistant', long('1'))).toBe(true);
    expect((await ada.say('And now?')).reply).toBe('Still Ada.');
    const [loaded, gone, waiting] = await Promise.all(snapshots.map((id) => client.load(id)));
    expect((await loaded!.say('instead')).reply).toBe('loaded');
    expect(await gone!.result()).toMatchObject({ output: longer });
    await eventually(async () => expect(await waiting!.requests()).toHaveLength(1));
  });

  test('what stands for the old part of a long conversation, in a run and in a snapshot', async () => {
    await using world = await open({ keeper: () => text('reply', 400), small: () => 'the summary' });
    const keeper = agent('keeper', { compaction: { summary: { over: 500, keepLast: 2, model: 'small' } } });
    const session = world.client.session(keeper as never, randomUUID());
    for (const words of ['1', '2', '3', '4']) await session.say(text(words, 400));
    const { snapshotId } = await session.save();
    await listed(world, [session]);

    await collect(world, 2);

    await world.worker.stop();
    await world.startWorker();
    await session.say('5');
    expect(world.model.calls.at(-1)?.heard('the summary')).toBe(true);
    await (await world.client.load(snapshotId)).say('5');
    expect(world.model.calls.at(-1)?.heard('the summary')).toBe(true);
    expect(world.model.calls.filter(({ model }) => model === 'small')).toHaveLength(1);
  });

  test('what an open run was started with, before anybody has looked at it', async () => {
    await using world = await open({ ada: ['You are Ada.'] });
    const states = { ada: await world.client.importAgentState(document('My name is Ada.')) };
    await world.worker.stop();
    const run = await start(world, 'sequential', { agents: [agent('ada')], states });
    await listed(world, [run]);

    await collect(world, 2);
    await world.startWorker();

    expect(await run.result()).toMatchObject({ output: 'You are Ada.' });
    expect(world.model.calls[0]?.heard('user', 'My name is Ada.')).toBe(true);
  });

  test('what a run that waits will need later: the runs that it has not started yet', async () => {
    await using world = await open({ boss: plan, b: ['of b'] });
    const review = { name: 'review', pattern: 'magentic', agents: [a], options: { manager: { agent: boss }, planReview: true } };
    const run = await start(world, 'sequential', { agents: [review, { name: 'panel', pattern: 'sequential', agents: [b] }] });
    await eventually(async () => expect(await run.requests()).toHaveLength(1));
    const [{ runId }] = (await run.status()).operations as unknown as [{ runId: string }];
    await listed(world, [run, { id: runId }]);

    await collect(world, 2);
    const text = await prepared(run, world);

    expect(JSON.parse(text ?? '{}')).toMatchObject({ pattern: 'sequential', team: { members: [{ name: 'b' }] } });
    await run.cancel({ mode: 'immediate' });
  });

  test('of a snapshot that left the list, what others refer to as well', async () => {
    await using world = await open({ clerk: [text('one', 5000), text('two', 5000), text('three', 5000)] });
    const { client, store } = world;
    const session = client.session(clerk, randomUUID());
    await session.say('1');
    const { snapshotId: first } = await session.save();
    await session.say('2');
    const { snapshotId: second } = await session.save();
    const idsOf = async (id: string) => Object.keys((await client.export(id)).blobs);
    await session.rollback({ snapshotId: first });
    // What it was before the rollback.
    const [{ id: undone }] = (await session.snapshots()) as unknown as [{ id: string }];
    const said = (await idsOf(undone)).filter((id) => id !== undone && id !== second);
    await listed(world, [session]);
    await collect(world, 2);
    expect(await Promise.all(said.map(async (id) => (await store.blobs.get(id)) !== undefined))).not.toContain(false);

    await client.deleteSnapshots([undone, second]);
    await collect(world, 2);

    const left = new Set(await idsOf(first));
    expect(await store.blobs.get(second)).toBeUndefined();
    expect(await store.blobs.get(undone)).toBeUndefined();
    for (const id of said) expect([id, (await store.blobs.get(id)) !== undefined]).toEqual([id, left.has(id)]);
    expect(said.some((id) => !left.has(id))).toBe(true);
    expect((await session.say('3')).reply).toBe(text('three', 5000));
  });
});

describe('runs that have nothing to tell are no hindrance:', () => {
  test('one that was ended before any worker had taken it up', async () => {
    await using world = await open({});
    await world.worker.stop();
    const run = await start(world, 'sequential', { agents: [a] });
    await environment.client.workflow.getHandle(run.id).terminate();
    await world.startWorker();
    await listed(world, [run]);

    expect(await collect(world)).toMatchObject({ runs: 1 });
  });

  test('one of another program, and one that is gone since it was listed', async () => {
    const store = memoryStore();
    const client = clientOf(store, {
      theirs: () => Promise.reject(new QueryNotRegisteredError('no such query', 3)),
      gone: () => Promise.reject(new WorkflowNotFoundError('gone', 'gone', undefined)),
    });
    await store.blobs.put('nobody refers to this');

    await collect({ client });

    expect(await collect({ client })).toMatchObject({ runs: 0, deleted: 1 });
  });
});

describe('nothing is deleted', () => {
  test('when a worker of an older release answers', async () => {
    const store = memoryStore();
    const old = (query: string) =>
      query === 'checkpoint' ? Promise.resolve({}) : Promise.reject(new QueryNotRegisteredError('no such query', 3));
    const client = clientOf(store, { old });
    await store.blobs.put('nobody refers to this');

    await expect(collect({ client }, 2)).rejects.toThrow(/"old".*nothing was deleted.*of this release/s);
    expect(store.texts.size).toBe(1);
  });

  test('when a run cannot be asked: which one, and what to do', async () => {
    await using world = await open({ clerk: ['one'] });
    const session = world.client.session(clerk, randomUUID());
    await session.say('1');
    await listed(world, [session]);
    const garbage = await world.store.blobs.put('nobody refers to this');
    await collect(world);
    await world.worker.stop();

    const refused = await collect(world).catch((error: unknown) => failureOf(error));

    expect(refused).toMatchObject({ type: 'Connection.Failed', message: expect.stringContaining(`"${session.id}"`) });
    expect((refused as { message: string }).message).toMatch(/nothing was deleted.*Start a worker/s);
    expect(await world.store.blobs.get(garbage)).toBe('nobody refers to this');
  });

  test('with less grace than an hour, or with none that can be read', async () => {
    await using world = await open({});

    for (const grace of [0, '59 minutes', 'soon', -1]) {
      await expect(world.client.collect({ grace })).rejects.toMatchObject({ type: 'Input.Invalid' });
    }
    expect(await world.client.collect()).toEqual({ runs: 0, snapshots: 0, kept: 0, doomed: 0, deleted: 0, bytes: 0 });
  });
});
