/** Sessions that close while nobody speaks to them, and open again as they were. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { textOf, type RunEvent } from '../../src/index.js';
import type { RunHandle, SessionHandle } from '../../src/client.js';
import { eventually } from '../support/eventually.js';
import { putBack } from '../support/put-back.js';
import { devServer, timeSkippingServer } from '../support/servers.js';
import { openWorld, type Script, type World } from '../support/world.js';

const clerk = { name: 'clerk', model: 'clerk', instructions: 'Answer.' };
/** Says how often it was asked, and what it heard last. */
const counting: Script = ({ messages }) => `${messages.filter(({ role }) => role === 'user').length}: ${messages.at(-1)?.content}`;

describe('a session that nobody speaks to', () => {
  let environment: TestWorkflowEnvironment;
  beforeEach(async () => {
    environment = await timeSkippingServer();
  });
  afterEach(async () => {
    await environment?.teardown();
  });

  const open = (script: Script = counting, more: object = {}) => openWorld({ environment, script, ...more });
  const sleepy = (world: World, key = 'tea', input: object = {}) =>
    world.client.session(clerk, key, { options: { sleepAfter: '1 hour' }, ...input });
  /** Time passes only while somebody waits for a result. */
  const untilAsleep = async (session: SessionHandle | RunHandle) => {
    expect(await session.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'asleep' } });
    expect(await session.status()).toMatchObject({ status: 'asleep', inbox: 0 });
  };

  test('closes, and the next message wakes it where it was, months later', async () => {
    await using world = await open();
    const session = sleepy(world);
    const first = await session.say('first', { id: 'one' });
    await untilAsleep(session);
    await environment.sleep('200 days');

    const second = await session.say('second');
    const again = await session.say('first', { id: 'one' });

    expect([first.reply, second.reply, again.reply]).toEqual(['1: first', '2: second', '1: first']);
    const { usage, rounds, status } = await session.status();
    expect({ usage, rounds, status }).toMatchObject({ usage: { modelCalls: 2 }, rounds: 2, status: 'waiting' });
    expect((await session.transcript()).map(({ message }) => textOf(message))).toEqual(['first', '1: first', 'second', '2: second']);
    // What it was is gone from the list: nothing wakes it as that any more.
    expect(await session.snapshots()).toEqual([]);
  });

  test('sleeps as often as it is left alone, and watchers are told', async () => {
    await using world = await open();
    const session = sleepy(world);
    for (const [i, words] of ['a', 'b', 'c'].entries()) {
      expect((await session.say(words)).reply).toBe(`${i + 1}: ${words}`);
      const told: RunEvent['type'][] = [];
      const watching = (async () => {
        for await (const { type } of session.watch()) told.push(type);
      })();
      await untilAsleep(session);
      await watching;
      expect(told.filter((type) => type.startsWith('run.'))).toEqual([i === 0 ? 'run.started' : 'run.woken', 'run.slept', 'run.finished']);
    }
    expect((await session.snapshots()).map(({ reason }) => reason)).toEqual(['sleep']);
  });

  test('is woken by a run handle, and by a signal from anywhere with whatever it would be started with', async () => {
    await using world = await open();
    await sleepy(world).say('first');
    const handle = world.client.attach('session/clerk/tea');
    await untilAsleep(handle);

    expect((await handle.say('second')).reply).toBe('2: second');
    await untilAsleep(world.client.attach(handle.id));
    await environment.client.workflow.signalWithStart('session', {
      workflowId: handle.id,
      taskQueue: world.taskQueue,
      args: [{ agents: ['nobody knows this one'] }],
      signal: 'say',
      signalArgs: [{ message: 'third', id: 'by signal' }],
    });

    await eventually(async () => expect(await handle.turn('by signal')).toMatchObject({ status: 'completed', reply: '3: third' }));
  });

  test('keeps its limits, conditions and agent; its clock stands still meanwhile', async () => {
    await using world = await open();
    const session = sleepy(world, 'limited', {
      limits: { turns: 3, time: '5 hours' },
      termination: { type: 'textMention', text: 'goodbye', sources: ['user'] },
    });
    await session.say('first');
    await untilAsleep(session);
    await environment.sleep('100 days');

    await world.client.session({ ...clerk, instructions: 'Say something else.' }, 'limited').say('second');
    expect(world.model.calls.at(-1)?.heard('system', 'Answer.')).toBe(true);
    expect(await session.status()).toMatchObject({ status: 'waiting' });
    expect((await session.say('third')).reply).toBe('3: third');
    await untilAsleep(session);

    await expect(session.say('one too many')).rejects.toMatchObject({ type: 'Run.Closed' });
    expect(await session.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' }, rounds: 3 });
  });

  test('stays awake while somebody is asked something, and until it is', async () => {
    await using world = await open();
    const session = sleepy(world);
    await session.say('first');
    const { snapshotId } = await session.save({ label: 'mine' });
    await untilAsleep(session);

    expect(await session.save({ label: 'asleep' })).toMatchObject({ snapshotId: expect.stringMatching(/^[0-9a-f]{32}$/) });
    await expect(session.rollback({ snapshotId })).rejects.toMatchObject({ type: 'Run.Closed' });
    await session.say('second');
    await putBack(environment, session, snapshotId);
    expect((await session.say('instead')).reply).toBe('2: instead');
  });

  test('that is cancelled in its sleep begins anew', async () => {
    await using world = await open();
    const session = sleepy(world);
    await session.say('first');
    await untilAsleep(session);

    expect(await session.cancel()).toEqual({ status: 'cancelled' });
    expect((await session.say('anew')).reply).toBe('1: anew');
  });

  test('that was exported in its sleep is loaded elsewhere, and not woken by its id', async () => {
    await using world = await open();
    const session = sleepy(world);
    await session.say('first');
    await untilAsleep(session);
    const [asleep] = await session.snapshots();
    const document = await world.client.export(asleep!.id);
    await session.cancel();

    const { id } = await world.client.import(document);

    expect((await session.say('anew')).reply).toBe('1: anew');
    expect((await (await world.client.load(id)).say('second')).reply).toBe('2: second');
  });

  test('whose snapshot is damaged is not woken, and nothing is lost', async () => {
    await using world = await open();
    const session = sleepy(world);
    await session.say('first');
    await untilAsleep(session);
    const [{ id } = { id: '' }] = await session.snapshots();
    const { blobs } = world.store;
    const whole = (await blobs.get(id)) as string;
    await blobs.collect((other) => other !== id, 0);
    await blobs.collect((other) => other !== id, 0);
    expect(await blobs.get(id)).toBeUndefined();

    await expect(session.say('second', { id: 'two' })).rejects.toMatchObject({
      type: expect.stringMatching(/^(Run\.Closed|State\.NotFound)$/),
    });
    expect(await session.status()).toMatchObject({ status: 'failed', failure: { type: 'State.NotFound' } });
    await blobs.put(whole);

    expect((await session.say('second', { id: 'two' })).reply).toBe('2: second');
  });

  test('for how long is checked', async () => {
    await using world = await open();
    const wrong = () => world.client.session(clerk, 'wrong', { options: { sleepAfter: 'soon' as never } });
    expect(wrong).toThrow(/options\.sleepAfter/);
  });
});

describe('on a real server', () => {
  let environment: TestWorkflowEnvironment;
  beforeEach(async () => {
    environment = await devServer();
  });
  afterEach(async () => {
    await environment?.teardown();
  });

  test('one that nobody has told to close stays open, and has no timer when it is never to sleep', async () => {
    await using world = await openWorld({ environment, script: counting });
    const session = world.client.session(clerk, 'awake', { sleepAfter: 'never' });
    await session.say('first');

    expect(await session.status()).toMatchObject({ status: 'waiting' });
    const { events } = await environment.client.workflow.getHandle(session.id).fetchHistory();
    expect(events?.filter((event) => event.timerStartedEventAttributes)).toEqual([]);
    await session.cancel();
  });

  test('what is said while it falls asleep or wakes is answered once, in its order, however it is said', async () => {
    await using world = await openWorld({ environment, script: counting });
    const [sessions, rounds] = [12, 5];
    const input = { options: { sleepAfter: '5 ms' } };
    const runs = new Set<string>();
    // When the snapshot is listed it is about to sleep, and the server's timers may be late by a second: in here it falls asleep.
    const untilDrowsy = async (session: SessionHandle) => {
      await vi.waitFor(async () => expect(await session.snapshots()).toHaveLength(1), { timeout: 60_000, interval: 20 });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 1500));
    };

    await Promise.all(
      Array.from({ length: sessions }, async (_, place) => {
        const session = world.client.session(clerk, `race-${place}`, input);
        const { id: workflowId } = session;
        for (let round = 0; round < rounds; round++) {
          const id = `${round}`;
          const bySignal = () =>
            environment.client.workflow.signalWithStart('session', {
              workflowId,
              taskQueue: world.taskQueue,
              args: [{ agents: [clerk], ...input }],
              signal: 'say',
              signalArgs: [{ message: `${id} by signal`, id: `${id} by signal` }],
            });
          // Two wakes at once are one session.
          await Promise.all([session.say(`${id} by update`, { id: `${id} by update` }), bySignal()]);
          runs.add((await environment.client.workflow.getHandle(workflowId).describe()).runId);
          await untilDrowsy(session);
        }
        const words = async () =>
          (await session.transcript()).flatMap(({ message, turn }) => (turn === undefined ? [textOf(message)] : []));
        await vi.waitFor(async () => expect(await words()).toHaveLength(rounds * 2), { timeout: 60_000, interval: 200 });
        const said = await words();
        expect(new Set(said).size).toBe(rounds * 2);
        for (const how of ['update', 'signal'])
          expect(said.filter((text) => text.endsWith(how))).toEqual(Array.from({ length: rounds }, (_, i) => `${i} by ${how}`));
        await vi.waitFor(async () => expect((await session.status()).rounds).toBe(rounds * 2), { timeout: 60_000, interval: 200 });
        await session.cancel();
      }),
    );

    expect(world.model.calls).toHaveLength(sessions * rounds * 2);
    // Otherwise nothing was shown.
    expect(runs.size).toBeGreaterThan(sessions);
  });
});
