/** Sessions that expire and runs that somebody wants to be gone: all of them is deleted, and nothing that is not theirs. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { DeletionReport, OstinatoClient, RunHandle } from '../../src/client.js';
import type { RunInput } from '../../src/index.js';
import { TidyUp } from '../../src/janitor/tidy-up.js';
import { eventually } from '../support/eventually.js';
import { devServer } from '../support/servers.js';
import { temporaryDirectory } from '../support/temporary.js';
import { wordsIn } from '../support/words-in.js';
import { openWorld, type Script, type WorldOptions } from '../support/world.js';

const agent = (name: string, more: object = {}) => ({ name, model: name, instructions: `You are ${name}.`, ...more });
const clerk = agent('clerk') as never;
/** Says how often it was asked, and what it heard last. */
const counting: Script = ({ messages }) => `${messages.filter(({ role }) => role === 'user').length}: ${messages.at(-1)?.content}`;

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

/** Without grace, which only tests may do. */
const open = ({ config, ...more }: Partial<WorldOptions> = {}) =>
  openWorld({ environment, script: counting, config: { janitor: { graceMs: 50 }, ...config }, ...more });

async function untilDone(client: OstinatoClient, id: string): Promise<DeletionReport> {
  return await eventually(async () => {
    const report = await client.deleteRun(id, { timeout: '2 seconds' });
    expect(report.status).toBe('done');
    return report;
  });
}

const isKnown = async ({ id }: Pick<RunHandle, 'id'>) =>
  await environment.client.workflow
    .getHandle(id)
    .describe()
    .then(
      () => true,
      () => false,
    );

describe('a run that somebody wants to be gone', () => {
  test('is deleted with all that is nested in it, and what was found afterwards is told', async () => {
    await using world = await open({ script: { ada: ['wombatlantern'], ben: ['turnipballoon'], cyd: ['done'] } });
    const panel = { name: 'panel', pattern: 'sequential', agents: [agent('ben')] };
    const input = { agents: [agent('ada'), panel, agent('cyd')], task: 'jellyfishsaddle' } as RunInput;
    const run = await world.client.start('sequential', input);
    await run.result();
    const { firstRunId } = await run.status();
    const inner = world.client.attach(`${run.id}/2-panel`);
    await run.save();
    await inner.save();

    const report = await untilDone(world.client, run.id);

    // Of each the one that was asked for, and the one that it left at its end.
    expect(report.removed).toMatchObject({ executions: 2, snapshots: 4 });
    expect(report.removed.texts).toBeGreaterThan(3);
    expect(report.proof).toMatchObject({ executions: 0, snapshots: 0, events: 0, texts: 0 });
    expect(await Promise.all([isKnown(run), isKnown(inner)])).toEqual([false, false]);
    expect(await world.store.snapshots.all()).toEqual([]);
    expect(await world.store.events.end({ workflowId: run.id, firstRunId })).toBe(0);
  });

  test('is refused while it is open, and ended first with force; what begins afterwards under its id stays', async () => {
    await using world = await open();
    const session = world.client.session(clerk, randomUUID());
    await session.say('first');
    await expect(world.client.deleteRun(session.id)).rejects.toMatchObject({ type: 'Run.Open' });

    await world.client.deleteRun(session.id, { force: true, timeout: '1 ms' });
    expect((await session.say('anew')).reply).toBe('1: anew');
    await eventually(async () => expect(await world.client.janitor()).toMatchObject({ done: [{ workflowId: session.id }] }));

    expect((await session.say('still here')).reply).toBe('2: still here');
    expect(await session.transcript()).toHaveLength(4);
    await session.cancel();
    await expect(world.client.deleteRun('nobody')).rejects.toMatchObject({ type: 'Run.NotFound' });
  });

  test('leaves no word in any file of the store; what a fork has taken along stays and goes on', async () => {
    const { path: dataDir, ...directory } = await temporaryDirectory();
    await using _ = directory;
    await using world = await open({ config: { dataDir } });
    const session = world.client.session(agent('clerk', { instructions: 'marzipanglacier' }) as never, randomUUID());
    const long = 'velvetanchovy '.repeat(8000);
    await session.say('jellyfishsaddle');
    const fork = await session.fork();
    await session.say('ostrichpiano');
    await session.say(long);
    await session.save({ label: 'cactusviolin' });
    await session.cancel();
    await session.result();
    const all = ['marzipanglacier', 'jellyfishsaddle', 'ostrichpiano', 'velvetanchovy'];
    expect(await wordsIn(dataDir, all)).toEqual(all);

    const report = await untilDone(world.client, session.id);

    expect(report.proof).toMatchObject({ executions: 0, snapshots: 0, events: 0 });
    // What the fork has heard, and its agent.
    expect(report.proof!.texts).toBeGreaterThan(0);
    expect(await wordsIn(dataDir, [...all, 'cactusviolin'])).toEqual(['marzipanglacier', 'jellyfishsaddle']);
    await world.worker.stop();
    await world.startWorker();
    expect((await fork.say('third')).reply).toBe('2: third');
    expect(world.model.calls.at(-1)?.heard('user', 'jellyfishsaddle')).toBe(true);
    await fork.cancel({ mode: 'immediate' });
  });

  test('with `now` waits for nobody but those who are at work', async () => {
    await using world = await open({ config: { janitor: { graceMs: 3600_000 } } });
    const session = world.client.session(clerk, randomUUID());
    await session.say('first');
    await session.cancel();
    await session.result();

    const report = await world.client.deleteRun(session.id, { now: true, timeout: '100 seconds' });

    expect(report).toMatchObject({ status: 'done', proof: { texts: 0 } });
    expect(report.removed.texts).toBeGreaterThan(0);
  });
});

describe('a session that expires', () => {
  /** What waits for its result or watches has ten seconds more in any case: so long it takes to be woken, too. */
  const brief = { expireAfter: '8 seconds', sleepAfter: '200 ms' };

  test('is deleted with all executions that it was awake in, and a new one under its key is not', async () => {
    await using world = await open();
    const session = world.client.session(clerk, randomUUID(), { options: brief });
    await session.say('first');
    await session.result();
    const { firstRunId: first } = await session.status();
    const woken = world.client.attach(session.id);
    await session.say('second');
    await woken.result();
    const { firstRunId: last } = await world.client.attach(session.id).status();
    expect(last).not.toBe(first);
    const [asleep] = await session.snapshots();
    const elsewhere = await world.client.load(asleep!.id, { id: randomUUID() });
    await eventually(async () => expect((await elsewhere.status()).status).toMatch(/waiting|asleep/));

    // The deletion goes on while the new one has begun.
    const key = { workflowId: session.id, conversationId: first };
    await eventually(async () => expect((await world.store.deletions.get(key))?.status).not.toBe('scheduled'));
    expect((await session.say('anew')).reply).toBe('1: anew');
    const isGone = async (runId: string) =>
      await environment.client.workflow
        .getHandle(session.id, runId)
        .describe()
        .then(
          () => false,
          () => true,
        );
    await eventually(async () => expect(await Promise.all([isGone(first), isGone(last)])).toEqual([true, true]));

    for (const firstRunId of [first, last]) expect(await world.store.events.end({ workflowId: session.id, firstRunId })).toBe(0);
    expect((await session.transcript()).length).toBeGreaterThan(1);
  });

  test('of which the snapshot is damaged holds up nobody', async () => {
    await using world = await open();
    const sessions = ['one', 'two'].map((name) => world.client.session(clerk, `${name}-${randomUUID()}`, { options: brief }));
    for (const session of sessions) await session.say('first');
    for (const session of sessions) await session.result();
    const [{ id } = { id: '' }] = await sessions[0]!.snapshots();
    for (let i = 0; i < 2; i++) await world.store.blobs.collect((other) => other !== id, 0);

    await eventually(async () => expect(await Promise.all(sessions.map(isKnown))).toEqual([false, false]));
    expect(await world.store.snapshots.all()).toEqual([]);
  });

  test('is deleted once, by several who do it at the same time', async () => {
    await using world = await open();
    const session = world.client.session(clerk, randomUUID(), { options: { expireAfter: '300 days', sleepAfter: '200 ms' } });
    await session.say('first');
    await session.result();
    const context = { temporal: environment.client, store: world.store, taskQueue: world.taskQueue };
    const nowMs = Date.now() + 301 * 24 * 3600_000;
    const rounds = () =>
      Promise.all([1, 2, 3].map(() => new TidyUp(context, nowMs, { graceMs: 3600_000, periodMs: 60_000 }, () => undefined).round()));

    const outcomes = await rounds();

    expect(outcomes.flatMap(({ failing }) => failing)).toEqual([]);
    await eventually(async () => expect(await isKnown(session)).toBe(false));
    expect(await world.store.snapshots.all()).toEqual([]);
    const [entry] = (await world.store.deletions.due(8e15)).deletions;
    expect(['removed', 'doomed']).toContain(entry?.status);
  });

  test('and what is said at that moment: each is answered, by the old one or by a new one', async () => {
    await using world = await open();
    await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const session = world.client.session(clerk, `race-${i}-${randomUUID()}`, { options: { expireAfter: '300 ms' } });
        for (let round = 0; round < 3; round++) {
          const { reply } = await session.say(`${round}`);
          expect(reply).toMatch(new RegExp(`^[1-3]: ${round}$`));
          await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 1200));
        }
      }),
    );
    expect(world.model.calls).toHaveLength(36);
  });
});
