/** The worker is killed in the middle of a deletion: the next one finishes it, nothing of it is left, and nothing else is gone. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';
import { nothingRemoved, type Deletion } from '../../src/contract/deletion.js';
import { openStore } from '../../src/store/open-store.js';
import type { Store } from '../../src/store/store.js';
import type { ScriptedCall } from '../../src/testing/index.js';
import { Place } from '../support/place.js';
import { devServer } from '../support/servers.js';
import { wordsIn } from '../support/words-in.js';

// The server notices after a minute that whoever tidied up is lost.
vi.setConfig({ testTimeout: 400_000, maxConcurrency: 6 });

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const patience = { timeout: '4 minutes' } as const;
const atLast = async <T>(check: () => T | Promise<T>) => await vi.waitFor(check, { timeout: 240_000, interval: 250 });
const clerk = (instructions: string) => ({ name: 'clerk', model: 'clerk', instructions });
/** Says how often it was asked, and what it heard last. */
const counting = ({ messages }: ScriptedCall) => `${messages.filter(({ role }) => role === 'user').length}: ${messages.at(-1)?.content}`;
/** Without grace, which only tests may do. */
const openPlace = () => Place.open({ environment, answer: counting, config: { janitor: { graceMs: 50 } } });
const openStoreOf = ({ dataDir, taskQueue }: Place) => openStore({ dataDir, environment: { namespace: 'default', taskQueue } });

const isKnown = async (id: string) =>
  await environment.client.workflow
    .getHandle(id)
    .describe()
    .then(
      () => true,
      () => false,
    );

/** A session that stays, whatever is deleted beside it. */
async function bystander(place: Place): Promise<{ expectUnharmed: () => Promise<void> }> {
  const session = place.client.session(clerk('marzipanglacier'), randomUUID());
  await session.say('turnipballoon', patience);
  const { snapshotId } = await session.save();
  const before = await place.client.export(snapshotId);
  return {
    expectUnharmed: async () => {
      expect(await place.client.export(snapshotId)).toEqual(before);
      expect((await session.snapshots()).map(({ id }) => id)).toEqual([snapshotId]);
      expect((await session.say('still here', patience)).reply).toBe('2: still here');
      expect(await session.transcript()).toHaveLength(4);
      expect(await wordsIn(place.dataDir, ['marzipanglacier', 'turnipballoon'])).toEqual(['marzipanglacier', 'turnipballoon']);
    },
  };
}

/** Of everything that there was of a session of `lost`, nothing. */
async function expectGone(place: Place, store: Store, { id }: Pick<RunHandle, 'id'>): Promise<void> {
  expect(await isKnown(id)).toBe(false);
  expect(await store.snapshots.list(id)).toEqual([]);
  expect(await store.events.logs({ workflowId: id })).toEqual([]);
  await atLast(async () => expect(await wordsIn(place.dataDir, ['velvetanchovy', 'jellyfishsaddle', 'cactusviolin'])).toEqual([]));
}

const lost = (place: Place, options: object = {}) => place.client.session(clerk('velvetanchovy'), randomUUID(), { options });

describe.concurrent('a worker is killed while it deletes', () => {
  test.each(['tidyUp begin after', 'tidyUp forget before', 'tidyUp save doomed after'])(
    'what somebody wants to be gone, at "%s"',
    async (point) => {
      await using place = await openPlace();
      const store = await openStoreOf(place);
      const other = await bystander(place);
      const session = lost(place);
      await session.say('jellyfishsaddle', patience);
      await session.save({ label: 'cactusviolin' });
      await session.cancel();
      await session.result(patience);

      const report = await place.losing(point, () =>
        atLast(async () => {
          const told = await place.client.deleteRun(session.id, { timeout: '5 seconds' });
          expect(told.status).toBe('done');
          return told;
        }),
      );

      expect(report.removed).toMatchObject({ executions: 1, snapshots: 2 });
      expect(report.proof).toMatchObject({ executions: 0, snapshots: 0, events: 0, texts: 0 });
      await expectGone(place, store, session);
      await other.expectUnharmed();
      await store.close();
    },
  );

  // Whoever waits for the end of one is given ten seconds in any case.
  const brief = { expireAfter: '8 seconds', sleepAfter: '200 ms' };

  test.each(['scheduleDeletion schedule after', 'tidyUp unlist before', 'tidyUp scrub after'])(
    'a session that has expired, at "%s"',
    async (point) => {
      await using place = await openPlace();
      const store = await openStoreOf(place);
      const other = await bystander(place);
      const session = lost(place, brief);

      await place.losing(point, async () => {
        await session.say('jellyfishsaddle', patience);
        await session.save({ label: 'cactusviolin' });
        await atLast(async () => expect(await isKnown(session.id)).toBe(false));
        await atLast(async () => expect(await store.deletions.outlook(0)).toEqual({ count: 0 }));
      });

      await expectGone(place, store, session);
      expect((await session.say('anew', patience)).reply).toBe('1: anew');
      await other.expectUnharmed();
      await store.close();
    },
  );

  test('beside another one: all of many is deleted once', async () => {
    await using place = await openPlace();
    const store = await openStoreOf(place);
    const other = await bystander(place);
    const runs = Array.from({ length: 6 }, () => lost(place));
    for (const run of runs) {
      await run.say('jellyfishsaddle', patience);
      await run.cancel();
      await run.result(patience);
    }
    const sleepers = Array.from({ length: 6 }, () => lost(place, brief));
    for (const sleeper of sleepers) await sleeper.say('jellyfishsaddle', patience);
    await schedule(store, runs);

    // It finds the list and rouses the janitor, as the first one does; whichever of them does the work.
    const second = await place.begin();
    const reports = await Promise.all(runs.map((run) => place.client.deleteRun(run.id, { timeout: '1 second' })));
    await second.kill();
    await place.begin();

    expect(reports.map(({ failure }) => failure)).toEqual(runs.map(() => undefined));
    for (const { id } of runs) await atLast(async () => expect((await store.deletions.get({ workflowId: id }))?.status).toBe('done'));
    for (const { id } of sleepers) await atLast(async () => expect(await isKnown(id)).toBe(false));
    await atLast(async () => expect(await store.deletions.outlook(0)).toMatchObject({ count: runs.length }));
    const done = (await place.client.janitor())?.done.map(({ workflowId }) => workflowId) ?? [];
    expect(done.sort()).toEqual([...runs, ...sleepers].map(({ id }) => id).sort());
    for (const each of [...runs, ...sleepers]) await expectGone(place, store, each);
    await other.expectUnharmed();
    await store.close();
  });
});

/** As somebody asks for it who has gone away since: no janitor has been told. */
async function schedule(store: Store, runs: Pick<RunHandle, 'id'>[]): Promise<void> {
  const at = new Date().toISOString();
  for (const { id } of runs) {
    const deletion: Deletion = {
      workflowId: id,
      reason: 'asked',
      requestedAt: at,
      dueAt: at,
      status: 'scheduled',
      removed: nothingRemoved,
    };
    await store.deletions.schedule(deletion);
  }
}
