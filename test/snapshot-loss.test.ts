/** What happens to snapshots, and to runs that go on from them, when the process that works on them is killed. */
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { connect, type RunHandle } from '../src/client.js';
import type { RunEvent } from '../src/contract/event.js';
import { textOf } from '../src/contract/message.js';
import { openStore } from '../src/store/open-store.js';
import type { Store } from '../src/store/store.js';
import type { ScriptedCall, ScriptedReply } from '../src/testing/index.js';
import { failedTasksIn, historyOf } from './support/history.js';
import { Place, type PlaceOptions } from './support/place.js';
import { devServer, devServerConfig } from './support/servers.js';
import { effectCounts } from './support/workers.js';

// Nearly all of it is waiting: the server notices after ten seconds that a workflow task is lost, and after twenty or thirty an activity.
vi.setConfig({ testTimeout: 400_000, maxConcurrency: 6 });

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const openPlace = (answer: PlaceOptions['answer'] = heard) => Place.open({ environment, answer });
const patience = { timeout: '2 minutes' } as const;
/** Longer than the server takes to notice a loss. */
const eventually = async (check: () => unknown) => await vi.waitFor(check, { timeout: 120_000, interval: 100 });
const untilItWaits = async (run: RunHandle) => await eventually(async () => expect((await run.status()).status).toBe('waiting'));
const speaker = (name: string, more: object = {}) => ({ name, instructions: `You are ${name}.`, model: name, ...more });
const openSession = (place: Place, more: object = {}) => place.client.session(speaker('guide', { tools: ['note'] }), randomUUID(), more);
const lastSaid = ({ messages }: ScriptedCall) => messages.filter(({ role }) => role === 'user').at(-1)?.content ?? '';
const textsOf = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message)).filter((text) => text !== '');
const dialogue = (...texts: string[]) => texts.flatMap((text) => [text, `heard ${text}`]);
const signal = async (run: RunHandle, id: string) => await environment.client.workflow.getHandle(run.id).signal('say', { message: id, id });

/** Whoever is told to note something does so first. */
function heard(call: ScriptedCall): ScriptedReply {
  const text = lastSaid(call);
  if (text.startsWith('note ') && call.messages.at(-1)?.role !== 'tool')
    return { calls: [{ name: 'note', arguments: { text, ms: 1500 } }] };
  return `heard ${text}`;
}

/** Everything on its list is whole, and what a command did was done once; watchers were told all of it once, and no task failed. */
async function expectSaved(place: Place, run: RunHandle, reasons: string[]): Promise<void> {
  const listed = await run.snapshots();
  for (const { id } of listed) expect(await place.client.export(id)).toMatchObject({ snapshotId: id });
  expect(listed.map(({ reason }) => reason)).toEqual(reasons);
  const { firstRunId, operations } = await run.status();
  expect(operations.filter((operation) => operation.kind !== 'nested' && operation.status !== 'done')).toEqual([]);
  const events: RunEvent[] = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  const told = events.flatMap((event) => (event.type === 'snapshot.saved' && event.nested === undefined ? [event.snapshotId] : []));
  const kept = listed.filter(({ reason }) => reason !== 'finished').map(({ id }) => id);
  expect(new Set(told)).toEqual(new Set(kept));
  expect(told).toHaveLength(kept.length);
  expect(failedTasksIn(await historyOf(environment, run.id, firstRunId))).toEqual([]);
}

const writing = ['put before', 'put after', 'snapshot before', 'snapshot after'].map((point) => `saveSnapshot ${point}`);
const listing = writing.slice(2);

describe.concurrent('a worker is killed while a session is saved', () => {
  test.each(writing)('between turns, at "%s": there is one snapshot, and what came meanwhile is answered', async (point) => {
    await using place = await openPlace();
    const session = openSession(place);
    await session.say('one');

    const { snapshotId } = await place.losing(
      point,
      () => session.save({ label: 'here' }),
      () => signal(session, 'two'),
    );

    expect((await session.say('three', patience)).reply).toBe('heard three');
    expect(await textsOf(session)).toEqual(dialogue('one', 'two', 'three'));
    const loaded = await place.client.load(snapshotId);
    await untilItWaits(loaded);
    expect((await loaded.say('four', patience)).reply).toBe('heard four');
    expect((await textsOf(loaded)).slice(0, 2)).toEqual(dialogue('one'));
    expect((await textsOf(loaded)).slice(-2)).toEqual(dialogue('four'));
    expect(place.model.calls.filter((call) => lastSaid(call) === 'one')).toHaveLength(1);
    await expectSaved(place, session, ['asked']);
  });

  test.each(listing)('in the middle of a turn with a tool, at "%s": the tool is not called again, here or there', async (point) => {
    let letSpeak!: () => void;
    const spoken = new Promise<void>((resolve) => (letSpeak = resolve));
    await using place = await openPlace(async (call) => {
      await spoken;
      return heard(call);
    });
    const session = openSession(place);
    await session.send('note this', 'm1');
    await place.model.called(1);

    const { snapshotId } = await place.losing(point, async () => {
      const saving = session.save();
      await eventually(async () => expect((await session.status()).operations).toHaveLength(1));
      letSpeak();
      return await saving;
    });

    await eventually(async () => expect(await session.turn('m1')).toMatchObject({ status: 'completed', reply: 'heard note this' }));
    const loaded = await place.client.load(snapshotId);
    await eventually(async () => expect(await loaded.turn('m1')).toMatchObject({ status: 'completed', reply: 'heard note this' }));
    expect(await loaded.transcript()).toHaveLength(4);
    expect(await session.transcript()).toHaveLength(4);
    expect([...effectCounts(place.effects)]).toEqual([['note.note this', 1]]);
    // The reply after the tool is given here and there.
    expect(place.model.calls).toHaveLength(3);
    await expectSaved(place, session, ['asked']);
  });

  test.each([...writing, 'saveSnapshot unlist before', 'saveSnapshot unlist after'])(
    'by itself after each turn, at "%s": the newest of the last turns stay on the list',
    async (point) => {
      await using place = await openPlace();
      const session = openSession(place, { snapshots: { every: 1, keep: 2 } });
      await session.say('one');
      await session.say('two');
      await eventually(async () => expect(await session.snapshots()).toHaveLength(2));

      await place.losing(point, async () => await session.say('three', patience));

      await untilItWaits(session);
      const kept = await session.snapshots();
      expect(kept.map(({ turn }) => turn)).toEqual([3, 2]);
      for (const { id } of kept) await place.client.export(id);
      expect(await textsOf(session)).toEqual(dialogue('one', 'two', 'three'));
      expect(place.model.calls).toHaveLength(3);
    },
  );
});

describe.concurrent('a worker is killed while a session is put back', () => {
  test.each([
    'loadSnapshot get before',
    'loadSnapshot get after',
    ...listing,
    'publish append run.continued before',
    'publish append run.continued after',
  ])('at "%s": it is put back once, and what came meanwhile is answered once', async (point) => {
    await using place = await openPlace();
    const session = openSession(place);
    await session.say('one');
    const { snapshotId } = await session.save();
    await session.say('two', { id: 'two' });

    const back = await place.losing(
      point,
      () => session.rollback({ snapshotId }),
      () => signal(session, 'three'),
    );

    expect(back).toEqual({ snapshotId });
    await session.say('four', patience);
    expect(await textsOf(session)).toEqual(dialogue('one', 'three', 'four'));
    expect(await session.turn('two')).toMatchObject({ status: 'failed', failure: { type: 'Run.RolledBack' } });
    expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two', 'three', 'four']);
    await expectSaved(place, session, ['rollback', 'asked']);
  });
});

test('nobody is killed, and people go on talking while a session is put back: it is saved and put back once', async () => {
  await using place = await openPlace();
  const session = openSession(place);
  await session.say('one');
  const { snapshotId } = await session.save();
  const ids: string[] = [];

  // Whatever arrives while the run is about to continue as new has the server ask for the same task again. They pause for longer and
  // longer: against people who never do, no workflow can continue as new.
  let isBack = false;
  const going = session.rollback({ snapshotId }).finally(() => (isBack = true));
  for (let pause = 5; !isBack; pause *= 1.3) {
    const more = Array.from({ length: 5 }, (_, i) => `said ${ids.length + i}`);
    ids.push(...more);
    await Promise.all(more.map((id) => signal(session, id)));
    await sleep(pause);
  }

  await going;
  await eventually(async () => expect((await session.status()).inbox).toBe(0));
  await untilItWaits(session);
  const turns = await Promise.all(ids.map((id) => session.turn(id)));
  expect(turns.filter(({ status, failure }) => status !== 'completed' && failure?.type !== 'Run.RolledBack')).toEqual([]);
  const answered = ids.filter((_, i) => turns[i]!.status === 'completed');
  expect((await textsOf(session)).sort()).toEqual(dialogue('one', ...answered).sort());
  await expectSaved(place, session, ['rollback', 'asked']);
});

describe.concurrent('a worker is killed while a session is forked', () => {
  test.each([...listing, 'loadSnapshot get before', 'loadSnapshot get after', 'publish append run.continued before'])(
    'at "%s": there is one fork, and both go on',
    async (point) => {
      await using place = await openPlace();
      const session = openSession(place);
      await session.say('one');

      const fork = await place.losing(point, async () => {
        const forked = await session.fork();
        // The worker may be lost in there.
        await untilItWaits(forked);
        return forked;
      });

      await session.say('here', patience);
      await fork.say('there', patience);
      expect(await textsOf(session)).toEqual(dialogue('one', 'here'));
      expect(await textsOf(fork)).toEqual(dialogue('one', 'there'));
      expect(place.model.calls.map(lastSaid)).toEqual(['one', 'here', 'there']);
      await expectSaved(place, session, ['fork']);
    },
  );
});

describe.concurrent('a worker is killed while a session', () => {
  const sleepy = (place: Place) => openSession(place, { options: { sleepAfter: '2 seconds' } });
  const untilAsleep = async (run: RunHandle) => await eventually(async () => expect((await run.status()).status).toBe('asleep'));

  test.each([...listing, 'publish append run.slept before', 'publish append run.slept after'])('falls asleep, at "%s"', async (point) => {
    await using place = await openPlace();
    const session = sleepy(place);

    await place.losing(point, async () => {
      await session.say('one', patience);
      await untilAsleep(session);
    });

    expect((await session.say('two', patience)).reply).toBe('heard two');
    await untilAsleep(session);
    expect((await session.say('three', patience)).reply).toBe('heard three');
    expect(await textsOf(session)).toEqual(dialogue('one', 'two', 'three'));
    expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two', 'three']);
  });

  test.each(['saveSnapshot snapshot after', 'publish append run.slept after'])(
    'falls asleep, at "%s", and what is said meanwhile keeps it awake',
    async (point) => {
      await using place = await openPlace();
      const session = sleepy(place);

      await place.losing(
        point,
        async () => {
          await session.say('one', patience);
          await eventually(async () => expect((await session.turn('two')).reply).toBe('heard two'));
        },
        () => signal(session, 'two'),
      );

      expect(await textsOf(session)).toEqual(dialogue('one', 'two'));
      expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two']);
    },
  );

  test.each(['loadSnapshot get before', 'loadSnapshot get after', 'endSleep unlist before', 'endSleep unlist after'])(
    'wakes, at "%s": it is where it was, and what woke it is answered once',
    async (point) => {
      await using place = await openPlace();
      const session = sleepy(place);
      await session.say('one');
      await untilAsleep(session);

      const { reply } = await place.losing(point, () => session.say('two', patience));

      expect(reply).toBe('heard two');
      expect(await textsOf(session)).toEqual(dialogue('one', 'two'));
      expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two']);
      const { firstRunId } = await session.status();
      expect(failedTasksIn(await historyOf(environment, session.id, firstRunId))).toEqual([]);
    },
  );
});

describe.concurrent('a worker is killed while a run that waits for a person', () => {
  const desk = async (place: Place, id?: string) => {
    const run = await place.client.start(
      'handoff',
      { agents: [speaker('clerk')], task: 'tea', options: { person: true }, sleepAfter: '2 seconds' },
      { ...(id !== undefined && { id }) },
    );
    await eventually(async () => expect((await run.status()).requests).toEqual(['question-1']));
    return run;
  };
  const untilAsleep = async (run: RunHandle) => await eventually(async () => expect((await run.status()).asleep).toBeDefined());
  const answer = async (run: RunHandle) =>
    await environment.client.workflow
      .getHandle(run.id)
      .signal('respond', { requestId: 'question-1', response: { message: 'yes', end: true } });
  const expectItsEnd = async (place: Place, run: RunHandle, sleeps: number) => {
    expect(await run.result(patience)).toMatchObject({ status: 'completed', output: 'heard tea', rounds: 1 });
    expect(await textsOf(run)).toEqual(['tea', 'heard tea', 'yes']);
    expect(place.model.calls).toHaveLength(1);
    const told: RunEvent['type'][] = [];
    for await (const { type } of run.watch()) told.push(type);
    const isAboutSleep = (type: string) => ['run.slept', 'run.woken', 'wake.failed'].includes(type);
    expect(told.filter(isAboutSleep)).toEqual(sleeps === 0 ? [] : ['run.slept', 'run.woken']);
    expect((await run.snapshots()).map(({ reason }) => reason)).toEqual(['finished']);
  };

  test.each(['saveSnapshot put before', 'saveSnapshot put after', 'publish append run.slept before', 'publish append run.slept after'])(
    'falls asleep, at "%s": it sleeps all the same',
    async (point) => {
      await using place = await openPlace();

      const run = await place.losing(point, async () => {
        const begun = await desk(place);
        await untilAsleep(begun);
        return begun;
      });

      await answer(run);
      await expectItsEnd(place, run, 1);
    },
  );

  test('falls asleep, and is answered before it does: it stays awake', async () => {
    await using place = await openPlace();
    const run = place.client.attach(randomUUID());

    await place.losing(
      'saveSnapshot put after',
      async () => {
        await desk(place, run.id);
        return await run.result(patience);
      },
      () => answer(run),
    );

    await expectItsEnd(place, run, 0);
  });

  test.each(['loadSnapshot get before', 'loadSnapshot get after'])('wakes, at "%s": what woke it counts once', async (point) => {
    await using place = await openPlace();
    const run = await desk(place);
    await untilAsleep(run);

    await place.losing(
      point,
      async () => {
        await answer(run);
        return await run.result(patience);
      },
      () => answer(run).catch(() => undefined),
    );

    await expectItsEnd(place, run, 1);
  });
});

describe.concurrent('a worker is killed while a run leaves what it was', () => {
  test.each([...writing, 'saveSnapshot append run.finished before', 'saveSnapshot append run.finished after'])(
    'at "%s": it has left one snapshot, and ends as it would have',
    async (point) => {
      await using place = await openPlace(({ model }) => `${model} has spoken`);

      const { run, result } = await place.losing(point, async () => {
        const started = await place.client.start('sequential', { agents: [speaker('ada'), speaker('ben')], task: 'go' });
        return { run: started, result: await started.result(patience) };
      });

      expect(result).toMatchObject({ status: 'completed', output: 'ben has spoken' });
      expect(place.model.calls.map(({ model }) => model)).toEqual(['ada', 'ben']);
      const left = await run.snapshots();
      expect(left).toMatchObject([{ reason: 'finished', turn: 2, length: 3 }]);
      const { blobs } = await place.client.export(left[0]!.id);
      expect(JSON.parse(blobs[left[0]!.id] as string)).toMatchObject({ outcome: { result: { output: 'ben has spoken' } } });
      const events: RunEvent[] = [];
      for await (const event of run.watch()) events.push(event);
      expect(events.filter(({ type }) => type === 'run.finished')).toHaveLength(1);
    },
  );
});

describe.concurrent('a worker is killed while a run is loaded', () => {
  test.each(['loadSnapshot get before', 'loadSnapshot get after', 'publish append run.continued after'])(
    'at "%s": it goes on from there',
    async (point) => {
      await using place = await openPlace();
      const { session, snapshotId } = await saved(place);

      const loaded = await place.losing(point, async () => {
        const run = await place.client.load(snapshotId);
        await untilItWaits(run);
        await run.say('three', patience);
        return run;
      });

      expect(await textsOf(loaded)).toEqual(dialogue('one', 'three'));
      expect(await textsOf(session)).toEqual(dialogue('one', 'two'));
      expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two', 'three']);
    },
  );

  test('what it is asked to do meanwhile is done', async () => {
    await using place = await openPlace();
    const { snapshotId } = await saved(place);
    const loaded = place.client.attach(randomUUID());

    let keeping!: Promise<{ snapshotId: string }>;
    await place.losing(
      'loadSnapshot get before',
      async () => await untilItWaits(await place.client.load(snapshotId, { id: loaded.id })),
      async () => {
        keeping = loaded.save(patience);
        keeping.catch(() => undefined);
      },
    );

    const kept = await keeping;
    expect((await loaded.snapshots()).map(({ id }) => id)).toEqual([kept.snapshotId]);
  });

  test('what was said to it before, and is sent again meanwhile, is not answered twice', async () => {
    await using place = await openPlace();
    const { snapshotId } = await saved(place);
    const loaded = place.client.attach(randomUUID());

    await place.losing(
      'loadSnapshot get before',
      async () => await untilItWaits(await place.client.load(snapshotId, { id: loaded.id })),
      () => signal(loaded, 'one'),
    );

    await loaded.say('three', patience);
    expect(await textsOf(loaded)).toEqual(dialogue('one', 'three'));
  });

  test.each(['put before', 'put after'])('with an agent from elsewhere, at "adoptStates %s": it remembers it once', async (point) => {
    await using place = await openPlace();
    const { session } = await saved(place);
    const document = await place.client.importAgentState(await session.agentState());
    const other = openSession(place, { states: { guide: document } });

    await place.losing(`adoptStates ${point}`, async () => await other.say('three', patience));

    expect(await textsOf(other)).toEqual(dialogue('one', 'two', 'three'));
    expect(place.model.calls.map(lastSaid)).toEqual(['one', 'two', 'three']);
  });

  async function saved(place: Place) {
    const session = openSession(place);
    await session.say('one', { id: 'one' });
    const { snapshotId } = await session.save();
    await session.say('two');
    return { session, snapshotId };
  }
});

describe.concurrent('a worker is killed while a run with another in flight is saved', () => {
  const panel = { name: 'panel', pattern: 'sequential' as const, agents: [speaker('ben'), speaker('cyd')] };
  const agents = [speaker('ada'), panel, speaker('dan')];

  test.each(listing)('at "%s" of the inner one: each is saved once, and both come to the same end', async (point) => {
    let letSpeak!: () => void;
    const ben = new Promise<void>((resolve) => (letSpeak = resolve));
    await using place = await openPlace(async ({ model }) => {
      if (model === 'ben') await ben;
      return `${model} has spoken`;
    });
    const run = await place.client.start('sequential', { agents, task: 'go' });
    await place.model.called(2);

    const { snapshotId } = await place.losing(point, async () => {
      const saving = run.save(patience);
      await eventually(async () => expect((await innerOf(place, run).then((inner) => inner.status())).operations).toHaveLength(1));
      letSpeak();
      return await saving;
    });

    await expectSameEnd(place, run, snapshotId);
    // Here ben, cyd and dan; there, at most the same again.
    expect(place.model.calls.filter(({ model }) => model === 'ben')).toHaveLength(1);
  });

  test('while it waits for the inner one: each is saved once, and both come to the same end', async () => {
    await using place = await openPlace(({ model }) =>
      model === 'ben' && place.model.calls.filter((call) => call.model === 'ben').length === 1 ? { hang: true } : `${model} has spoken`,
    );
    const run = await place.client.start('sequential', { agents, task: 'go' });
    await place.model.called(2);
    const saving = run.save(patience);
    saving.catch(() => undefined);
    await eventually(async () => expect((await innerOf(place, run).then((inner) => inner.status())).operations).toHaveLength(1));

    await place.lose();

    await expectSameEnd(place, run, (await saving).snapshotId);
  });

  async function innerOf(place: Place, run: RunHandle): Promise<RunHandle> {
    return place.client.attach((await run.status()).operations[0]!.runId as string);
  }

  async function expectSameEnd(place: Place, run: RunHandle, snapshotId: string): Promise<void> {
    expect(await run.result(patience)).toMatchObject({ output: 'dan has spoken' });
    const loaded = await place.client.load(snapshotId);
    expect(await loaded.result(patience)).toMatchObject({ output: 'dan has spoken' });
    expect(await textsOf(loaded)).toEqual(await textsOf(run));
    const inner = `${run.id}/2-panel`;
    for (const { id } of await run.snapshots()) await place.client.export(id);
    await expectSaved(place, run, ['finished', 'asked']);
    expect((await place.client.attach(inner).snapshots()).map(({ reason }) => reason)).toEqual(['finished', 'asked']);
  }
});

describe('an import ends before it is done', () => {
  test('at any place: nothing is listed that is not whole, and the next one finishes it', async () => {
    await using place = await openPlace();
    const session = openSession(place);
    await session.say('one');
    await session.say('two');
    const document = await session.export();
    const count = Object.keys(document.blobs).length;
    expect(count).toBeGreaterThan(2);

    for (let writes = 0; writes <= count; writes++) {
      const store = await openStore({
        dataDir: join(place.path, `import-${writes}`),
        environment: { namespace: 'default', taskQueue: place.taskQueue },
      });
      const config = devServerConfig({ taskQueue: place.taskQueue });
      await using client = await connect({ config, temporal: environment.client, store });
      const { mend } = breakAfter(writes, store);
      await expect(client.import(document)).rejects.toThrow('ended');
      expect(await store.snapshots.list(session.id)).toEqual([]);

      mend();
      await client.import(document);
      expect(await store.snapshots.list(session.id)).toHaveLength(1);
      expect(await client.export(document.snapshotId)).toEqual(document);
      await store.close();
    }
  });
});

/** So many more things are written to it, and then none until it is mended. */
function breakAfter(writes: number, { blobs, snapshots }: Store): { mend: () => void } {
  let left = writes;
  const [put, add] = [blobs.put.bind(blobs), snapshots.add.bind(snapshots)];
  const write = <T>(work: () => Promise<T>): Promise<T> => (left-- > 0 ? work() : Promise.reject(new Error('ended')));
  blobs.put = (text) => write(() => put(text));
  snapshots.add = (record) => write(() => add(record));
  return { mend: () => (left = Infinity) };
}
