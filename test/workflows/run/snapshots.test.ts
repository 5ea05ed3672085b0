import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { devServer } from '../../support/servers.js';
import { failureOf } from '../../../src/index.js';
import { openWorld, type World } from '../../../src/testing/index.js';

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

describe('a snapshot that somebody has made up', () => {
  const forge = async (world: World, snapshotId: string, change: (state: Loose) => void) => {
    const document = structuredClone(await world.client.export(snapshotId));
    const snapshot = JSON.parse(document.blobs[snapshotId] as string) as Loose;
    change(snapshot.state);
    const text = JSON.stringify(snapshot);
    const id = await world.store.blobs.put(text);
    return (await world.client.import({ ...document, snapshotId: id, blobs: { ...document.blobs, [id]: text } })).id;
  };

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
      .then(async (loaded) => await loaded.result({ timeout: '10 seconds' }))
      .then(
        () => 'a result',
        (error: unknown) => failureOf(error).type,
      );

    expect(['a result', 'State.Unreadable', 'Input.UnknownAgent', 'Nested.Failed', 'State.NotFound']).toContain(outcome);
  });
});
