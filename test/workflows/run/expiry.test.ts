/** Sessions that nobody has spoken to for so long that they are deleted. What the janitor does with them: test/janitor. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunEvent } from '../../../src/index.js';
import type { SessionHandle } from '../../../src/client.js';
import { putBack } from '../../support/put-back.js';
import { timeSkippingServer } from '../../support/servers.js';
import { openWorld, type Script, type World, type WorldOptions } from '../../support/world.js';

const day = 24 * 3600 * 1000;
const clerk = { name: 'clerk', model: 'clerk', instructions: 'Answer.' };
const counting: Script = ({ messages }) => `${messages.filter(({ role }) => role === 'user').length}: ${messages.at(-1)?.content}`;

let environment: TestWorkflowEnvironment;
beforeEach(async () => {
  environment = await timeSkippingServer();
});
afterEach(async () => {
  await environment?.teardown();
});

const open = (more: Partial<WorldOptions> = {}) => openWorld({ environment, script: counting, ...more });
/** Those of which nothing has to become of what the janitor cannot do here: this server lists and deletes nothing. */
const sessionOf = (world: World, options: object = {}, agent: object = {}) =>
  world.client.session({ ...clerk, ...agent }, 'tea', { options });
const untilEnded = async (session: SessionHandle, code: string) =>
  expect(await session.result()).toMatchObject({ status: 'stopped', stopReason: { code } });
const dueIn = async ({ store }: World) => (await store.deletions.due(8e15)).deletions;

describe('a session that is awake', () => {
  test('expires so long after its last message, and its watchers are told; then the same key begins anew at once', async () => {
    await using world = await open();
    const session = sessionOf(world, { expireAfter: '30 days' });
    await session.say('first');
    await environment.sleep('20 days');
    await session.say('second');
    await environment.sleep('20 days');
    expect(await session.status()).toMatchObject({ status: 'waiting', rounds: 2 });
    const told: RunEvent['type'][] = [];
    const watching = (async () => {
      for await (const { type } of session.watch()) told.push(type);
    })();

    await untilEnded(session, 'expired');

    await watching;
    expect(told.slice(-2)).toEqual(['run.expired', 'run.finished']);
    expect(await session.status()).toMatchObject({ status: 'stopped' });
    const [deletion] = await dueIn(world);
    expect(deletion).toMatchObject({ workflowId: session.id, reason: 'expired', status: 'scheduled' });
    expect((await session.say('anew')).reply).toBe('1: anew');
  });

  test('keeps its time over a rollback, a load and a fork: it begins anew', async () => {
    await using world = await open();
    const session = sessionOf(world, { expireAfter: '30 days' });
    await session.say('first');
    const { snapshotId } = await session.save();
    await environment.sleep('29 days');
    await putBack(environment, session, snapshotId);
    await environment.sleep('29 days');

    expect(await session.status()).toMatchObject({ status: 'waiting' });
    const loaded = await world.client.load(snapshotId);
    await environment.sleep('20 days');
    expect(await loaded.status()).toMatchObject({ status: 'waiting' });
    await untilEnded(session, 'expired');
  });

  test('of which somebody has made an end is deleted when its time comes', async () => {
    await using world = await open();
    const session = sessionOf(world, { expireAfter: '30 days' });
    await session.say('first');
    await session.cancel();
    await session.result();

    const [deletion] = await dueIn(world);
    const days = (Date.parse(deletion!.dueAt) - Date.parse(deletion!.requestedAt)) / day;
    expect(days).toBeGreaterThan(29.9);
    expect(days).toBeLessThan(30.1);
  });
});

describe('a session that sleeps', () => {
  const drowsy = { sleepAfter: '1 hour', expireAfter: '30 days' };

  test('is woken before its time is over, as often as somebody speaks, and begins anew after that', async () => {
    await using world = await open();
    const session = sessionOf(world, drowsy);
    for (const [i, words] of ['a', 'b', 'c'].entries()) {
      expect((await session.say(words)).reply).toBe(`${i + 1}: ${words}`);
      await untilEnded(session, 'asleep');
      const [snapshot] = await session.snapshots();
      expect(Date.parse(snapshot!.expires!.at) - Date.parse(snapshot!.at)).toBeGreaterThan(29 * day);
      await environment.sleep('25 days');
    }
    expect(await dueIn(world)).toHaveLength(1);
    await environment.sleep('10 days');

    expect((await session.say('anew')).reply).toBe('1: anew');
  });

  test('that has woken is not deleted', async () => {
    await using world = await open();
    const session = sessionOf(world, drowsy);
    await session.say('first');
    await untilEnded(session, 'asleep');
    await session.say('second');

    expect(await dueIn(world)).toEqual([]);
  });

  test('is not woken once its deletion has begun', async () => {
    await using world = await open();
    const session = sessionOf(world, drowsy);
    await session.say('first');
    await untilEnded(session, 'asleep');
    const [deletion] = await dueIn(world);
    expect(await world.store.deletions.begin(deletion!, Date.parse(deletion!.dueAt))).toBe(true);

    expect((await session.say('anew')).reply).toBe('1: anew');
  });
});

describe('who says when', () => {
  test.each([
    ['nobody: never', {}, {}, undefined, 'asleep'],
    ['the settings', {}, {}, 5 * day, 'expired'],
    ['the agent, before the settings', {}, { expireAfter: '5 days' }, 500 * day, 'expired'],
    ['the session, before its agent', { expireAfter: '5 days' }, { expireAfter: '500 days' }, undefined, 'expired'],
    ['an agent that says never, whatever the settings say', {}, { expireAfter: null }, 5 * day, 'asleep'],
    ['a session that says never, whatever anybody says', { expireAfter: null }, { expireAfter: '5 days' }, 5 * day, 'asleep'],
  ])('%s', async (_, options, agent, expireAfterMs, code) => {
    await using world = await open({ config: { ...(expireAfterMs !== undefined && { expireAfterMs }) } });
    const session = sessionOf(world, { sleepAfter: '100 days', ...options }, agent);
    await session.say('first');

    await untilEnded(session, code);

    expect(await dueIn(world)).toHaveLength(code === 'expired' ? 1 : 0);
  });

  test('for how long is checked', async () => {
    await using world = await open();
    expect(() => sessionOf(world, { expireAfter: 'soon' })).toThrow(/options\.expireAfter.*or null for never/s);
    expect(() => sessionOf(world, {}, { expireAfter: 0 })).toThrow(/agents\[0\].*expireAfter|expireAfter/s);
  });
});
