/** Workers of two releases: what the newer one has put to sleep is not lost on the older one, and not damaged by it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, textOf } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { openWorld, type Script, type World } from '../../support/world.js';

const clerk = defineAgent({ name: 'clerk', instructions: 'Speak.', model: 'clerk' });
const heard: Script = ({ messages }) => `heard ${messages.at(-1)?.content}`;

let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await devServer();
  world = await openWorld({ environment, agents: [clerk], script: heard });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

interface Document {
  schemaVersion: string;
  state: { stateVersion: number };
}
const newer: [string, (document: Document) => unknown][] = [
  ['the snapshot', (document) => (document.schemaVersion = '2.0.0')],
  ['the state in it', ({ state }) => (state.stateVersion = 99)],
];

const newerBy = new Map<string, (document: Document) => unknown>();
/** From now on it reads as if a newer release had written it. Returns what makes the worker one of that release. */
function makeNewer(snapshotId: string, change: (document: Document) => unknown): () => void {
  const { blobs } = world.store;
  if (newerBy.size === 0) {
    const get = blobs.get.bind(blobs);
    blobs.get = async (id) => {
      const [text, changed] = [await get(id), newerBy.get(id)];
      if (text === undefined || !changed) return text;
      const document = JSON.parse(text) as Document;
      changed(document);
      return JSON.stringify(document);
    };
  }
  newerBy.set(snapshotId, change);
  return () => newerBy.set(snapshotId, () => undefined);
}

const plain = (run: RunHandle) => environment.client.workflow.getHandle(run.id);

describe('a run that sleeps', () => {
  async function desk(): Promise<{ run: RunHandle; snapshotId: string }> {
    const run = await world.client.start('handoff', { agents: ['clerk'], task: 'tea', options: { person: true }, sleepAfter: '1 second' });
    const snapshotId = await eventually(async () => {
      const { asleep } = await run.status();
      expect(asleep).toBeDefined();
      return asleep!.snapshotId;
    });
    return { run, snapshotId };
  }
  const cannotWake = async (run: RunHandle) =>
    await eventually(async () =>
      expect(await run.status()).toMatchObject({
        status: 'waiting',
        asleep: { failure: { type: 'State.Newer', message: expect.anything() } },
      }),
    );

  test.each(newer)(
    'where %s is newer than the worker, keeps what it is told, says why, and goes on with one that can read it',
    async (_, change) => {
      const { run, snapshotId } = await desk();
      const upgrade = makeNewer(snapshotId, change);

      await run.respond('question-1', { message: 'green', end: true });

      await cannotWake(run);
      expect((await plain(run).describe()).status.name).toBe('RUNNING');
      const { firstRunId } = await run.status();
      const events = await world.store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 });
      expect(events.filter(({ type }) => type === 'wake.failed')).toMatchObject([{ failure: { type: 'State.Newer' } }]);
      // Handlers answer as before.
      expect(await run.respond('question-1', { message: 'green', end: true })).toMatchObject({ status: 'answered' });
      await expect(run.respond('question-1', 'black')).rejects.toMatchObject({ type: 'Request.NotPending' });
      await expect(run.say('hello')).rejects.toMatchObject({ type: 'Run.NotConversational' });
      expect(await plain(run).query('checkpoint')).toMatchObject({ completedStepCount: 1, transcript: { length: 2 } });

      upgrade();

      expect(await run.result({ timeout: '2 minutes' })).toMatchObject({ status: 'completed', output: 'heard tea' });
      expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['tea', 'heard tea', 'green']);
    },
  );

  test('is cancelled all the same', async () => {
    const { run, snapshotId } = await desk();
    makeNewer(snapshotId, newer[0]![1]);
    await run.respond('question-1', 'green');
    await cannotWake(run);

    await run.cancel();

    expect(await run.result({ timeout: '2 minutes' })).toMatchObject({ status: 'cancelled' });
  });
});

describe('a session that has closed for its sleep', () => {
  test.each(newer)('where %s is newer than the worker, is not woken, says why, and loses no message', async (_, change) => {
    const session = world.client.session('clerk', randomUUID(), { options: { sleepAfter: '1 second' } });
    await session.say('first');
    await eventually(async () => expect((await session.status()).status).toBe('asleep'));
    const upgrade = makeNewer((await session.snapshots())[0]!.id, change);

    await expect(session.say('second', { id: 'two' })).rejects.toMatchObject({
      type: expect.stringMatching(/^(Run\.Closed|State\.Newer)$/),
    });
    expect(await session.status()).toMatchObject({ status: 'failed', failure: { type: 'State.Newer' } });

    upgrade();

    expect((await session.say('second', { id: 'two' })).reply).toBe('heard second');
    expect((await session.transcript()).map(({ message }) => textOf(message))).toEqual(['first', 'heard first', 'second', 'heard second']);
    await session.cancel();
  });
});
