/**
 * Runs that Temporal has forgotten, as it does after the namespace's retention: what they were is still told, and gone on with. One server
 * deletes them, which takes it half a minute; the other never knew them, which is the same to whoever asks it.
 */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { OstinatoClient } from '../../src/client.js';
import { collect } from '../../src/janitor/collect.js';
import { RunHandle } from '../../src/client/run-handle.js';
import { newKey } from '../../src/encryption/keys.js';
import { textOf, type RunEvent, type RunInput } from '../../src/index.js';
import { eventually } from '../support/eventually.js';
import { devServer, timeSkippingServer } from '../support/servers.js';
import { openWorld, type ScriptedCall, type World } from '../support/world.js';

const speaker = (name: string) => ({ name, instructions: `You are ${name}.`, model: name });
const long = 'It persists. '.repeat(10_000);
let isMended = false;
/** Says what it heard last. */
function answer({ model, messages }: ScriptedCall) {
  if (model === 'broken' && !isMended) return { status: 400, body: { error: { message: 'No.' } } };
  if (model === 'long') return long;
  if (model === 'slow') return { hang: true as const };
  return `${model} heard ${messages.at(-1)?.content}`;
}

let server: TestWorkflowEnvironment;
let forgetful: TestWorkflowEnvironment;
let dataDir: string;
let world: World;
/** Another process, later: it has the same store. */
let later: World;
beforeAll(async () => {
  [server, forgetful] = await Promise.all([devServer(), timeSkippingServer()]);
  dataDir = await mkdtemp(join(tmpdir(), 'ostinato-forgotten-'));
  const config = { dataDir, taskQueue: `forgotten-${randomUUID()}`, encryptionKeys: newKey() };
  world = await openWorld({ environment: server, script: answer, config });
  later = await openWorld({ environment: forgetful, script: answer, config });
});
afterAll(async () => {
  for (const open of [world, later]) await open?.[Symbol.asyncDispose]();
  for (const environment of [server, forgetful]) await environment?.teardown();
  await rm(dataDir, { recursive: true, force: true });
});

async function start(input: RunInput): Promise<RunHandle> {
  return await world.client.start('sequential', input, { id: `forgotten/${randomUUID()}` });
}

const firstRunOf = async (run: RunHandle) => (await run.status()).firstRunId;
const texts = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message));

/** Everything that is told of a run. */
async function told(run: RunHandle, turnId = '') {
  const { operations: _, snapshotId: __, ...status } = await run.status();
  const { transcript, ...checkpoint } = await run.checkpoint();
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return {
    status,
    checkpoint: { ...checkpoint, length: transcript.length },
    requests: await run.requests(),
    transcript: await run.transcript(),
    turn: await run.turn(turnId),
    document: await run.agentState(),
    result: await run.result().catch(({ type, message, details }) => ({ type, message, details })),
    events,
  };
}

describe('of a run that Temporal has forgotten, everything is told as before', () => {
  test.each<[string, RunInput, (run: RunHandle) => Promise<unknown>, object]>([
    [
      'completed',
      { agents: [speaker('a'), speaker('b')], task: 'go' },
      async () => undefined,
      { result: { output: 'b heard [a]\na heard go' } },
    ],
    [
      'stopped',
      { agents: [speaker('a'), speaker('b')], task: 'go', limits: { turns: 1 } },
      async () => undefined,
      { result: { output: 'a heard go' } },
    ],
    ['failed', { agents: [speaker('a'), speaker('broken')], task: 'go' }, async () => undefined, { result: { type: 'Model.Refused' } }],
    [
      'cancelled',
      { agents: [speaker('a'), speaker('slow')], task: 'go' },
      async (run) => {
        await eventually(async () => expect((await run.status()).turns).toMatchObject([{ agent: 'slow' }]));
        await run.cancel({ mode: 'immediate' });
      },
      { result: { output: 'a heard go' } },
    ],
    [
      'cancelled',
      { agents: [speaker('a'), speaker('slow')], task: 'go' },
      async (run) => {
        await eventually(async () => expect((await run.status()).turns).toMatchObject([{ agent: 'slow' }]));
        await server.client.workflow.getHandle(run.id).cancel();
      },
      { result: { output: 'a heard go' } },
    ],
    ['completed', { agents: [speaker('a'), speaker('long')], task: 'go' }, async () => undefined, { result: { output: long } }],
  ])('%s', async (status, input, meanwhile, expected) => {
    const run = await start(input);
    await meanwhile(run);
    await run.result().catch(() => undefined);
    const before = await told(run);

    const after = await told(later.client.attach(run.id));

    expect(before).toMatchObject({ status: { status }, ...expected });
    expect(after).toEqual(before);
    expect((await run.snapshots()).map(({ reason }) => reason)).toEqual(['finished']);
  });

  test('with those within it, which are there by themselves', async () => {
    const panel = { name: 'panel', pattern: 'sequential' as const, agents: [speaker('b'), speaker('c')] };
    const run = await start({ agents: [speaker('a'), panel], task: 'go' });
    await run.result();
    const [inner, innerLater] = [world, later].map(({ client }) => client.attach(`${run.id}/2-panel`)) as [RunHandle, RunHandle];
    const before = [await told(run), await told(inner)];

    expect([await told(later.client.attach(run.id)), await told(innerLater)]).toEqual(before);
    await expect(innerLater.fork()).rejects.toMatchObject({ type: 'Input.Invalid' });
  });
});

describe('a run that Temporal has forgotten', () => {
  const forgotten = async (...agents: string[]) => {
    const run = await start({ agents: agents.map(speaker), task: 'go' });
    await run.result().catch(() => undefined);
    return later.client.attach(run.id);
  };

  test('is gone on with: by a fork, a snapshot, an export and a run that takes up its conversation', async () => {
    const run = await forgotten('a');

    const fork = await run.fork({ as: `${run.id}/fork` });
    const left = (await run.snapshots()).find(({ reason }) => reason === 'finished');
    const loaded = await later.client.load(left?.id ?? '');
    const taken = await later.client.import(JSON.stringify(await run.export()));
    const next = await later.client.start('sequential', { agents: [speaker('b')], task: 'and then', conversation: run.id });

    expect(taken).toMatchObject({ workflowId: run.id, reason: 'asked' });
    for (const other of [fork, loaded]) {
      expect((await other.result()).output).toBe('a heard go');
      expect(await texts(other)).toEqual(['go', 'a heard go']);
    }
    await next.result();
    expect(await texts(next)).toEqual(['go', 'a heard go', 'and then', 'b heard and then']);
    const [strange] = await next.snapshots();
    await expect(run.fork({ snapshotId: strange!.id })).rejects.toMatchObject({ type: 'State.Mismatch' });
  });

  test('that failed goes on in a fork where it was', async () => {
    const run = await forgotten('a', 'broken');
    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    isMended = true;
    const asked = later.model.calls.length;

    const fork = await run.fork();

    expect((await fork.result()).output).toBe('broken heard [a]\na heard go');
    expect(later.model.calls.slice(asked).map(({ model }) => model)).toEqual(['broken']);
  });

  test('cannot be changed any more, as any that has ended', async () => {
    const run = await forgotten('a');
    const [left] = await run.snapshots();

    for (const change of [() => run.rollback({ snapshotId: left!.id }), () => run.say('more'), () => run.respond('r', true)])
      await expect(change()).rejects.toMatchObject({ type: 'Run.Closed' });
    expect([await run.cancel(), await run.stop()]).toEqual([{ status: 'completed' }, { status: 'completed' }]);
    const never = later.client.attach('forgotten/never');
    for (const ask of [() => never.status(), () => never.result(), () => never.fork()])
      await expect(ask()).rejects.toMatchObject({ type: 'Run.NotFound' });
  });

  test('is not there where the worker was told to keep none', async () => {
    await using sparing = await openWorld({ environment: server, script: answer, config: { keepFinished: false } });
    const run = await sparing.client.start('sequential', { agents: [speaker('a')], task: 'go' });
    await run.result();

    expect(await run.snapshots()).toEqual([]);
    const { store, taskQueue } = sparing;
    const after = new OstinatoClient({ temporal: forgetful.client, store, taskQueue }, async () => undefined);
    await expect(after.attach(run.id).status()).rejects.toMatchObject({ type: 'Run.NotFound' });
  });

  test('is not mixed up with others that have had its id', async () => {
    const id = `forgotten/${randomUUID()}`;
    const runs: RunHandle[] = [];
    for (const task of ['one', 'two']) {
      const run = await world.client.start('sequential', { agents: [speaker('a')], task }, { id });
      await run.result();
      runs.push(new RunHandle({ temporal: forgetful.client, store: later.store, taskQueue: later.taskQueue }, id, await firstRunOf(run)));
    }
    const outputs = async (...handles: RunHandle[]) => {
      const found: unknown[] = [];
      for (const run of handles) found.push((await run.result()).output);
      return found;
    };

    expect(await outputs(...runs, later.client.attach(id))).toEqual(['a heard one', 'a heard two', 'a heard two']);
    expect(await Promise.all(runs.map(texts))).toEqual([
      ['one', 'a heard one'],
      ['two', 'a heard two'],
    ]);

    const live = await later.client.start('sequential', { agents: [speaker('slow')], task: 'three' }, { id });
    await eventually(async () => expect(await later.client.attach(id).status()).toMatchObject({ status: 'running' }));
    expect((await later.client.attach(id).status()).firstRunId).toBe(await firstRunOf(live));
    expect(await outputs(...runs)).toEqual(['a heard one', 'a heard two']);
    await live.cancel({ mode: 'immediate' });
  });

  test('keeps what it refers to when the store is collected', async () => {
    const run = await start({ agents: [speaker('a'), speaker('long')], task: 'go' });
    await run.result();
    const before = await told(run);
    const temporal = { workflow: { list: () => [] } } as unknown as Client;

    // What nothing refers to is gone the second time.
    const context = { temporal, store: world.store, taskQueue: world.taskQueue };
    const swept = [0, 1].map(async () => await collect(context, { grace: '1 ms', anyGrace: true }));

    expect(await Promise.all(swept)).toMatchObject([{ runs: 0 }, { runs: 0 }]);
    expect(await told(later.client.attach(run.id))).toEqual(before);
  });
});

describe('a session that Temporal has forgotten', () => {
  const untilAsleep = async (run: RunHandle) => await eventually(async () => expect((await run.status()).status).toBe('asleep'));

  test('is asleep still, tells what was said, and wakes', async () => {
    const session = world.client.session(speaker('a'), randomUUID(), { options: { sleepAfter: '1 second' } });
    await session.say('hello', { id: 'one' });
    await untilAsleep(session);
    const before = await told(session, 'one');
    // It is found among many others.
    const [asleep] = await session.snapshots();
    for (let i = 0; i < 101; i++) await world.store.snapshots.add({ ...asleep!, id: `${i}`.padStart(32, '0'), reason: 'asked' });
    const handle = later.client.attach(session.id);

    const after = await told(handle, 'one');

    expect(before).toMatchObject({ status: { status: 'asleep' }, turn: { reply: 'a heard hello' } });
    expect({ ...after, events: [] }).toEqual({ ...before, events: [] });
    expect(after.events.map(({ type }) => type)).toEqual(before.events.map(({ type }) => type));
    expect((await handle.say('again')).reply).toBe('a heard again');
    expect(await texts(handle)).toEqual(['hello', 'a heard hello', 'again', 'a heard again']);
  });

  test('that was ended in its sleep is not asleep any more, and goes on in a fork', async () => {
    const session = world.client.session(speaker('a'), randomUUID(), { options: { sleepAfter: '1 second' } });
    await session.say('hello');
    await untilAsleep(session);
    const handle = later.client.attach(session.id);

    expect(await handle.cancel()).toEqual({ status: 'cancelled' });

    expect(await handle.status()).toMatchObject({ status: 'cancelled', rounds: 1 });
    expect((await handle.snapshots()).map(({ reason }) => reason)).toEqual(['finished']);
    const fork = await handle.fork();
    expect((await fork.say('again')).reply).toBe('a heard again');
    expect(await texts(fork)).toEqual(['hello', 'a heard hello', 'again', 'a heard again']);
    await fork.cancel();
  });
});

test('a run that Temporal deletes is told of by the handle that has started it', async () => {
  const run = await start({ agents: [speaker('a')], task: 'go' });
  await run.result();
  const before = await told(run);

  await server.client.workflowService.deleteWorkflowExecution({
    namespace: server.client.options.namespace,
    workflowExecution: { workflowId: run.id },
  });
  await vi.waitFor(() => expect(server.client.workflow.getHandle(run.id).describe()).rejects.toThrow(WorkflowNotFoundError), {
    timeout: 180_000,
    interval: 500,
  });

  expect(await told(run)).toEqual(before);
});
