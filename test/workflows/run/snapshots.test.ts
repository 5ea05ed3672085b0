import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { z } from 'zod';
import { defineTool, failureOf, textOf } from '../../../src/index.js';
import { openWorld, type Script, type World } from '../../support/world.js';

// eslint-disable-next-line @typescript-eslint/no-explicit-any -- What somebody has made up is of any type.
type Loose = any;

let server: TestWorkflowEnvironment;
beforeAll(async () => {
  server = await devServer();
});
afterAll(async () => {
  await server?.teardown();
});

const clerk = { name: 'clerk', model: 'clerk', instructions: 'Answer.' };

describe('a session', () => {
  test('is saved, and loaded as another that has heard the same', async () => {
    await using world = await openWorld({ environment: server, script: { clerk: ['one', 'two', 'three'] } });
    const session = world.client.session(clerk, 'tea');
    await session.say('first');

    const { snapshotId } = await session.save({ label: 'after one' });
    await session.say('second');
    const loaded = await world.client.load(snapshotId, { id: 'another' });
    const { reply } = await loaded.say('instead');

    expect(reply).toBe('three');
    expect(world.model.calls[2]?.heard('user', 'first')).toBe(true);
    expect(world.model.calls[2]?.heard('user', 'second')).toBe(false);
    expect((await session.snapshots()).map(({ id, label }) => [id, label])).toEqual([[snapshotId, 'after one']]);
  });

  test('is saved with the documents of the agents that were named, also when it has ended', async () => {
    await using world = await openWorld({ environment: server, script: { clerk: ['one'] } });
    const session = world.client.session(clerk, 'documents');
    await session.say('first');
    const documentsOf = async ({ snapshotId }: { snapshotId: string }) => Object.keys((await world.client.export(snapshotId)).agents ?? {});

    expect(await documentsOf(await session.save())).toEqual([]);
    expect(await documentsOf(await session.save({ agents: 'all' }))).toEqual(['clerk']);
    expect(await documentsOf(await session.save({ agents: ['clerk'] }))).toEqual(['clerk']);
    await expect(session.save({ agents: ['nobody'] })).rejects.toMatchObject({ type: 'Input.UnknownAgent' });
    await expect(session.save({ agents: 'some' as 'all' })).rejects.toMatchObject({ type: 'Input.Invalid' });

    await session.cancel();
    await session.result();
    expect(await documentsOf(await session.save({ agents: ['clerk'] }))).toEqual(['clerk']);
    await expect(session.save({ agents: ['nobody'] })).rejects.toMatchObject({ type: 'Input.UnknownAgent' });
    await expect(session.save({ agents: 'some' as 'all' })).rejects.toMatchObject({ type: 'Input.Invalid' });
  });

  test('is put back, and forked', async () => {
    await using world = await openWorld({ environment: server, script: { clerk: ['one', 'two', 'three', 'four'] } });
    const session = world.client.session(clerk, 'coffee');
    await session.say('first');
    const { snapshotId } = await session.save();
    await session.say('second');

    await session.rollback({ snapshotId });
    const { reply } = await session.say('third');
    const fork = await session.fork();
    const forked = await fork.say('fourth');

    expect([reply, forked.reply]).toEqual(['three', 'four']);
    const words = (await session.transcript()).map(({ message }) => (message.contents[0] as { text: string }).text);
    expect(words).toEqual(['first', 'one', 'third', 'three']);
  });
});

describe('a session', () => {
  const open = (script: Script, more: object = {}) => openWorld({ environment: server, script, ...more });

  test('keeps snapshots by itself, and lets go of old ones that nobody asked for', async () => {
    await using world = await open({ clerk: ['one', 'two', 'three', 'four'] });
    const session = world.client.session(clerk, 'often', { snapshots: { every: 1, keep: 2 } });
    await session.say('1');
    const { snapshotId } = await session.save({ label: 'mine' });
    for (const words of ['2', '3', '4']) await session.say(words);

    const kept = await eventually(async () => {
      const list = await session.snapshots();
      expect(list.map(({ turn, reason }) => [turn, reason])).toEqual([
        [4, 'turn'],
        [3, 'turn'],
        [1, 'asked'],
      ]);
      return list;
    });
    expect(kept.at(-1)).toMatchObject({ id: snapshotId, label: 'mine' });
    await session.rollback({ turn: 3 });
    expect((await session.transcript()).map(({ message }) => textOf(message))).toEqual(['1', 'one', '2', 'two', '3', 'three']);
  });

  test('tells what was said and is not any more, and says the rest', async () => {
    await using world = await open({ clerk: ['one', 'two', 'three'] });
    const session = world.client.session(clerk, 'undone');
    await session.say('1', { id: 'first' });
    const { snapshotId } = await session.save();
    await session.say('2', { id: 'second' });
    await session.rollback({ snapshotId });

    expect(await session.turn('first')).toMatchObject({ status: 'completed', reply: 'one' });
    expect(await session.turn('second')).toMatchObject({ status: 'failed', failure: { type: 'Run.RolledBack' } });
    await expect(session.say('2', { id: 'second' })).rejects.toMatchObject({ type: 'Run.RolledBack' });
    expect(await session.say('2', { id: 'again' })).toMatchObject({ reply: 'three' });
    const { modelCalls } = (await session.status()).usage;
    expect(modelCalls).toBe(3);
  });

  test('that was asked twice with one id does it once', async () => {
    await using world = await open({ clerk: ['one'] });
    const session = world.client.session(clerk, 'twice');
    await session.say('1');
    const handle = server.client.workflow.getHandle(session.id);

    const asked = await Promise.all([1, 2].map(() => handle.executeUpdate('save', { args: [{}], updateId: 'the same' })));

    expect(asked).toEqual([{ operationId: 'the same' }, { operationId: 'the same' }]);
    await eventually(async () => expect((await session.status()).operations).toMatchObject([{ id: 'the same', status: 'done' }]));
    expect(await session.snapshots()).toHaveLength(1);
  });

  test('that is loaded twice is two, and each goes its own way', async () => {
    await using world = await open({ clerk: ['one', 'left', 'right'] });
    const session = world.client.session(clerk, 'two ways');
    await session.say('1');
    const { snapshotId } = await session.save();

    const [left, right] = [await world.client.load(snapshotId), await world.client.load(snapshotId)];
    await left.say('go left');
    await right.say('go right');

    expect((await left.transcript()).map(({ message }) => textOf(message))).toEqual(['1', 'one', 'go left', 'left']);
    expect((await right.transcript()).map(({ message }) => textOf(message))).toEqual(['1', 'one', 'go right', 'right']);
    expect((await session.transcript()).length).toBe(2);
    expect(await world.client.diff((await left.save()).snapshotId, (await right.save()).snapshotId)).toMatchObject({
      transcript: { common: 2, before: [{ text: 'go left' }, { text: 'left' }], after: [{ text: 'go right' }, { text: 'right' }] },
    });
  });

  test('that has ended is saved, loaded and forked, and open again', async () => {
    await using world = await open({ clerk: ['one', 'two', 'three'] });
    const session = world.client.session(clerk, 'over');
    await session.say('1');
    await session.cancel();
    await session.result();

    const { snapshotId } = await session.save({ label: 'at the end' });
    const loaded = await world.client.load(snapshotId);

    expect((await loaded.say('2')).reply).toBe('two');
    await expect(session.rollback({ snapshotId })).rejects.toMatchObject({ type: 'Run.Closed' });
    expect((await (await session.fork()).say('3')).reply).toBe('three');
  });

  test('with a tool gives it another key in each branch', async () => {
    const keys: string[] = [];
    const note = defineTool({
      name: 'note',
      description: 'Notes.',
      input: z.object({}),
      run: (_, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return 'noted';
      },
    });
    const calling = { calls: [{ name: 'note', arguments: {} }] };
    await using world = await open({ clerk: [calling, 'one', calling, 'two', calling, 'three', calling, 'four'] }, { tools: [note] });
    const session = world.client.session({ ...clerk, tools: ['note'] }, 'keys');
    await session.say('1');
    const { snapshotId } = await session.save();
    await session.say('2');
    await session.rollback({ snapshotId });
    await session.say('3');
    await (await session.fork({ snapshotId })).say('4');

    expect(new Set(keys).size).toBe(4);
  });
});

describe('refused is, and nothing changes', () => {
  test('what cannot be saved, rolled back to, forked or loaded', async () => {
    await using world = await openWorld({ environment: server, script: { clerk: ['one', 'two'] } });
    const session = world.client.session(clerk, 'refusals');
    await session.say('1');
    const other = world.client.session(clerk, 'another');
    await other.say('2');
    const { snapshotId } = await other.save();
    const before = await session.transcript();
    const loose = session as unknown as { [method: string]: (input?: unknown) => Promise<unknown> };

    for (const [method, input, type, message] of [
      ['save', { label: 7 }, 'Input.Invalid', /label/],
      ['rollback', {}, 'Input.Invalid', /either/],
      ['rollback', { snapshotId: 'x', turn: 1 }, 'Input.Invalid', /either/],
      ['rollback', { snapshotId: '../../etc' }, 'Input.Invalid', /32 characters/],
      ['rollback', { turn: -1 }, 'Input.Invalid', /turn/],
      ['rollback', { turn: 7 }, 'State.NotFound', /turn 7/],
      ['rollback', { snapshotId: '0'.repeat(32) }, 'State.NotFound', /no snapshot/],
      ['rollback', { snapshotId }, 'State.Mismatch', /another run/],
      ['fork', { as: '' }, 'Input.Invalid', /as/],
      ['fork', { as: other.id }, 'Run.AlreadyExists', /is open already/],
    ] as const) {
      const refused = await loose[method]?.(input).then(
        () => ({ type: 'done', message: '' }),
        (error: unknown) => failureOf(error),
      );
      expect([method, refused?.type]).toEqual([method, type]);
      expect(refused?.message).toMatch(message);
    }
    await expect(world.client.load('0'.repeat(32))).rejects.toMatchObject({ type: 'State.NotFound' });
    await expect(world.client.load('../x')).rejects.toMatchObject({ type: 'State.NotFound' });
    expect(await session.transcript()).toEqual(before);
    expect(await session.status()).toMatchObject({ status: 'waiting' });
  });

  test('a snapshot of another team, with every difference; which can be overridden, and is then remembered', async () => {
    const [a, b, c] = ['a', 'b', 'c'].map((name) => ({ name, model: name, instructions: `You are ${name}.` })) as [never, never, never];
    await using world = await openWorld({ environment: server, script: { a: ['one'], b: ['two'], c: ['three'] } });
    const run = await world.client.start('sequential', { agents: [a, b], task: 'go', limits: { turns: 1 } });
    await run.result();
    const { snapshotId } = await run.save();

    const strict = await world.client.load(snapshotId, { agents: [a, c] });
    const refused = failureOf(await strict.result().catch((error: unknown) => error));
    const loose = await world.client.load(snapshotId, { agents: [a, c], override: true, limits: { turns: 9 } });

    expect(refused).toMatchObject({ type: 'State.Mismatch' });
    for (const line of ['"b" is in the snapshot and not in the team', '"c" is in the team and not in the snapshot', 'fingerprint'])
      expect(refused.message).toContain(line);
    expect(await loose.result()).toMatchObject({ status: 'completed', output: 'three' });
    expect((await loose.status()).origin).toMatchObject({
      snapshotId,
      overridden: expect.arrayContaining([expect.stringContaining('"b"')]),
    });
  });
});

const forge = async (world: World, snapshotId: string, change: (state: Loose) => void) => {
  const document = structuredClone(await world.client.export(snapshotId));
  const snapshot = JSON.parse(document.blobs[snapshotId] as string) as Loose;
  change(snapshot.state);
  const text = JSON.stringify(snapshot);
  const id = await world.store.blobs.put(text);
  return (await world.client.import({ ...document, snapshotId: id, blobs: { ...document.blobs, [id]: text } })).id;
};

test('a message that is not remembered any more is looked up: it is still the same turn', async () => {
  await using world = await openWorld({ environment: server, script: { clerk: ['one', 'two'] } });
  const session = world.client.session(clerk, 'long ago');
  await session.say('1', { id: 'first' });
  const { snapshotId } = await session.save();
  const loaded = await world.client.load(await forge(world, snapshotId, (state) => Object.assign(state, { said: [], forgotten: true })));

  expect(await loaded.say('1', { id: 'first' })).toMatchObject({ status: 'completed', reply: 'one' });
  expect(await loaded.say('2', { id: 'second' })).toMatchObject({ reply: 'two' });
  expect((await loaded.transcript()).map(({ message }) => textOf(message))).toEqual(['1', 'one', '2', 'two']);
});

describe('what an earlier release has exported', () => {
  const fixtures = new URL('../../fixtures/exports/', import.meta.url);

  test.each(readdirSync(fixtures))('%s is imported, and gone on with', async (file) => {
    await using world = await openWorld({ environment: server, script: () => 'and so it goes' });

    const { id } = await world.client.import(readFileSync(new URL(file, fixtures), 'utf8'));
    const loaded = await world.client.load(id);

    expect((await loaded.say('Are you there?')).reply).toBe('and so it goes');
    expect(world.model.calls[0]?.heard('user', 'What was said long ago?')).toBe(true);
  });
});

describe('a snapshot that somebody has made up', () => {
  test.each<[string, (state: Loose) => void]>([
    ['progress of another kind', ({ progress }) => (progress.round = 'many')],
    ['no progress that this pattern has', (state) => (state.progress.speaker = { no: 1 })],
    ['options that nobody could give', ({ options }) => (options.maxRounds = { a: 1 })],
    ['options that are not known', ({ options }) => (options.secret = true)],
    ['a position far outside', ({ progress }) => (progress.asked = 1e15)],
    ['a member that is nobody', ({ team }) => (team.members[0].name = 7)],
    ['a next speaker who is not there', ({ progress }) => (progress.speaker = 'nobody')],
    ['an operation that is none', (state) => (state.operations = [{ id: 'op', runId: 'x', member: 'a' }])],
    [
      'a turn that waits for a run that is none',
      (state) => (state.turns = [{ id: 't', ordinal: 1, agent: 'a', start: 0, at: 'never', modelCalls: 0, operation: 'op' }]),
    ],
    ['a time that is none', (state) => (state.startedAt = 'yesterday')],
    [
      'a request that is none',
      (state) => (state.requests = [{ requestId: 'r', kind: 'x', prompt: 'p', createdAt: 'x', status: 'pending', expiresAt: 'never' }]),
    ],
    ['a message that is none', (state) => (state.inbox = [{ id: 'x', message: { role: 'user', contents: [{ $type: 'what' }] } }])],
    ['letters to nobody', (state) => (state.post = [{ to: '', signal: '', payload: 1 }])],
    ['resumed runs that are none', (state) => (state.resume = [{ operationId: 'op', snapshotId: '0', pattern: 'none' }])],
  ])('with %s ends with a result or a typed failure, and hangs nowhere', async (_, change) => {
    await using world = await openWorld({ environment: server, script: () => 'words' });
    const agents = ['a', 'b'].map((name) => ({ name, model: name, instructions: 'Talk.' }));
    const run = await world.client.start('groupChat', { agents, task: 'go', options: { maxRounds: 2 } });
    await run.result();
    const { snapshotId } = await run.save();

    const outcome = await forge(world, snapshotId, (state: Loose) => {
      Object.assign(state, { done: undefined, ending: undefined });
      change(state);
    })
      .then(async (id) => await world.client.load(id))
      .then(async (loaded) => await loaded.result({ timeout: '1 minute' }))
      .then(
        () => 'a result',
        (error: unknown) => failureOf(error).type,
      );

    expect(['a result', 'State.Unreadable', 'Input.UnknownAgent', 'Nested.Failed', 'State.NotFound']).toContain(outcome);
  });
});
