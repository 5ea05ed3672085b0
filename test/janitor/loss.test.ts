/** The janitor is lost at each step of a deletion: whoever goes on finishes it, and nothing is done that should not be. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunInput } from '../../src/index.js';
import { nothingRemoved, type DeletionKey } from '../../src/contract/deletion.js';
import { TidyUp } from '../../src/janitor/tidy-up.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/servers.js';
import { openWorld, type World } from '../support/world.js';

let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await devServer();
  world = await openWorld({ environment, script: () => 'wombatlantern' });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const agent = (name: string) => ({ name, model: name, instructions: `You are ${name}.` });
const panel = { name: 'panel', pattern: 'sequential', agents: [agent('ben')] };
const nothing = () => undefined;

/** Whatever is done with it from this point on is never done: as if its process had been killed there. */
function mortal(store: Store, point: string): { store: Store; died: Promise<void> } {
  let die!: () => void;
  const died = new Promise<void>((resolve) => (die = resolve));
  const never = new Promise<never>(() => undefined);
  let isDead = false;
  const guard = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    if (isDead) return await never;
    if (`${what} before` === point) {
      isDead = true;
      die();
      return await never;
    }
    const done = await work();
    if (`${what} after` !== point) return done;
    isDead = true;
    die();
    return await never;
  };
  const { deletions, snapshots, events, blobs } = store;
  return {
    died,
    store: {
      ...store,
      scrub: () => guard('scrub', store.scrub),
      blobs: {
        put: blobs.put.bind(blobs),
        get: blobs.get.bind(blobs),
        collect: (...args) => guard('collect', () => blobs.collect(...args)),
      },
      snapshots: {
        add: snapshots.add.bind(snapshots),
        get: snapshots.get.bind(snapshots),
        list: snapshots.list.bind(snapshots),
        all: snapshots.all.bind(snapshots),
        remove: (ids) => guard('unlist', () => snapshots.remove(ids)),
      },
      events: {
        append: events.append.bind(events),
        read: events.read.bind(events),
        end: events.end.bind(events),
        logs: events.logs.bind(events),
        remove: (log) => guard('forget', () => events.remove(log)),
      },
      deletions: {
        schedule: deletions.schedule.bind(deletions),
        withdraw: deletions.withdraw.bind(deletions),
        begin: (...args) => guard('begin', () => deletions.begin(...args)),
        save: (deletion) => guard(`save ${deletion.status}`, () => deletions.save(deletion)),
        remove: deletions.remove.bind(deletions),
        get: deletions.get.bind(deletions),
        due: deletions.due.bind(deletions),
        outlook: deletions.outlook.bind(deletions),
      },
    },
  };
}

const steps = ['begin', 'save begun', 'unlist', 'forget', 'save removed', 'collect', 'scrub', 'save doomed', 'save done'];

test.each(steps.flatMap((step) => [`${step} before`, `${step} after`]))('at "%s"', async (point) => {
  const run = await world.client.start('sequential', { agents: [panel, agent('ada')], task: 'jellyfishsaddle' } as RunInput, {
    id: randomUUID(),
  });
  await run.result();
  await run.save();
  const key: DeletionKey = { workflowId: run.id };
  const at = new Date().toISOString();
  await world.store.deletions.schedule({
    ...key,
    reason: 'asked',
    requestedAt: at,
    dueAt: at,
    status: 'scheduled',
    removed: nothingRemoved,
  });
  let laterMs = 1000;
  const round = (store: Store) => {
    laterMs += 3000;
    const context = { temporal: environment.client, store, taskQueue: world.taskQueue };
    return new TidyUp(context, Date.now() + laterMs, { graceMs: 1, periodMs: 60_000 }, nothing).round();
  };
  const status = async () => (await world.store.deletions.get(key))?.status;

  const { store, died } = mortal(world.store, point);
  let isDead = false;
  void died.then(() => (isDead = true));
  // Temporal deletes in its own time.
  await eventually(async () => {
    await Promise.race([round(store), died]);
    expect(isDead, `"${point}" was not reached`).toBe(true);
  });
  await eventually(async () => {
    if ((await status()) !== 'done') await round(world.store);
    expect(await status()).toBe('done');
  });

  const { proof, removed } = (await world.store.deletions.get(key))!;
  expect(proof).toMatchObject({ executions: 0, snapshots: 0, events: 0, texts: 0 });
  expect(removed).toMatchObject({ executions: 2 });
  expect(await world.store.events.logs({ workflowId: `${run.id}/1-panel` })).toEqual([]);
  expect(await world.store.snapshots.list(run.id)).toEqual([]);
});
