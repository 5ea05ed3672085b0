import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { devServer } from '../../support/servers.js';
import { openWorld } from '../../../src/testing/index.js';

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
