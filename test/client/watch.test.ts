import { randomUUID } from 'node:crypto';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connect, type OstinatoClient, type RunHandle } from '../../src/client.js';
import type { RunEvent } from '../../src/contract/event.js';
import type { Store } from '../../src/store/store.js';
import { eventually } from '../support/eventually.js';
import { devServer, devServerConfig } from '../support/servers.js';
import { openStage, type Actor, type Stage } from '../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, config: { worker: { shutdownGraceMs: 1000 } } });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const start = (agent: ReturnType<Stage['actor']>['agent']) => stage.world.client.start('sequential', { agents: [agent], task: 'go' });

async function collect(run: RunHandle, from?: number): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch({ from })) events.push(event);
  return events;
}

/** A client whose event log does what it is told. */
async function clientWith(read: Store['events']['read']): Promise<OstinatoClient> {
  const { store, taskQueue } = stage.world;
  const broken: Store = {
    ...store,
    events: { append: store.events.append, read, end: rejects, logs: rejects, remove: rejects },
  };
  return await connect({ config: devServerConfig({ taskQueue }), temporal: environment.client, store: broken });
}

const rejects = () => Promise.reject(new Error('The disk is gone.'));
const hangs = () => new Promise<never>(() => undefined);

describe('watching a run', () => {
  test('from any event on gives exactly the rest, without a gap or a double', async () => {
    const run = await start(stage.actor(['one two three four five six']).agent);
    await run.result();

    const all = await collect(run);

    expect(all.map(({ seq }) => seq)).toEqual(all.map((_, i) => i + 1));
    expect(all.at(-1)?.type).toBe('run.finished');
    for (const { seq } of all.slice(0, -1)) expect([seq, await collect(run, seq)]).toEqual([seq, all.slice(seq)]);
  });

  test('as it goes on shows the same to all, whenever they come and go', async () => {
    const { agent } = stage.actor([{ text: Array.from({ length: 60 }, (_, i) => `word-${i}`).join(' '), delayMs: 40 }]);
    const run = await start(agent);

    // Comes again after every third event, each time with a new handle.
    const restless = (async () => {
      const seen: RunEvent[] = [];
      while (seen.at(-1)?.type !== 'run.finished') {
        for await (const event of stage.world.client.attach(run.id).watch({ from: seen.at(-1)?.seq })) {
          seen.push(event);
          if (seen.length % 3 === 0) break;
        }
      }
      return seen;
    })();
    const [steady, again] = await Promise.all([collect(run), restless]);

    expect(again).toEqual(steady);
    const words = steady.flatMap((event) => (event.type === 'delta' ? event.text : [])).join('');
    expect(words).toBe((await run.result()).output);
    expect(steady.filter(({ type }) => type === 'delta').length).toBeGreaterThan(3);
  });

  test('can be stopped at any time', async () => {
    const { agent } = stage.actor([{ hang: true }]);
    const run = await start(agent);
    const stopping = new AbortController();
    const events: RunEvent[] = [];

    const watching = (async () => {
      for await (const event of run.watch({ signal: stopping.signal })) events.push(event);
    })();
    await eventually(() => expect(events.at(-1)?.type).toBe('turn.started'));
    stopping.abort();
    await watching;

    await run.cancel({ mode: 'immediate' });
  });
});

describe('watching ends when the run', () => {
  /** A run that hangs. */
  async function hanging(): Promise<RunHandle> {
    const { agent, calls } = stage.actor(() => ({ hang: true }));
    const run = await begun(agent);
    await eventually(() => expect(calls).toHaveLength(1));
    return run;
  }

  async function begun(agent: Actor['agent'], options: { workflowRunTimeout?: string } = {}): Promise<RunHandle> {
    const id = randomUUID();
    await environment.client.workflow.start('sequential', {
      workflowId: id,
      taskQueue: stage.world.taskQueue,
      args: [{ agents: [agent], task: 'go' }],
      ...(options as { workflowRunTimeout?: '2 seconds' }),
    });
    return stage.world.client.attach(id);
  }

  test('is terminated', async () => {
    const run = await hanging();
    const watching = collect(run);
    await environment.client.workflow.getHandle(run.id).terminate('test');

    expect((await watching).at(-1)).toMatchObject({
      type: 'run.failed',
      failure: { type: 'Run.Failed', message: expect.stringContaining('terminated') as string },
    });
  });

  test('runs out of the time that Temporal gives it', async () => {
    const run = await begun(stage.actor(() => ({ hang: true })).agent, { workflowRunTimeout: '2 seconds' });

    expect((await collect(run)).at(-1)).toMatchObject({
      type: 'run.failed',
      failure: { message: expect.stringContaining('timed out') as string },
    });
    await expect(run.result()).rejects.toMatchObject({ type: 'Run.Failed' });
  });

  test('is cancelled by Temporal', async () => {
    const run = await hanging();
    const watching = collect(run);
    await environment.client.workflow.getHandle(run.id).cancel();

    expect((await watching).at(-1)).toMatchObject({ type: 'run.finished', result: { status: 'cancelled' } });
  });

  test('fails', async () => {
    const run = await start(stage.actor([{ status: 400, body: { error: { message: 'no' } } }]).agent);

    expect((await collect(run)).at(-1)).toMatchObject({ type: 'run.failed', failure: { type: 'Model.Refused' } });
  });

  test('makes room for another one under its id', async () => {
    const run = await hanging();
    const { firstRunId } = await run.status();
    const watching = collect(run);
    await environment.client.workflow.getHandle(run.id).terminate('test');
    const next = await stage.world.client.start('sequential', { agents: [stage.actor(['done']).agent], task: 'go' }, { id: run.id });

    const last = (await watching).at(-1);
    expect(last).toMatchObject({ type: 'run.failed', runId: run.id });
    expect((await next.status()).firstRunId).not.toBe(firstRunId);
    expect((await collect(next)).at(-1)?.type).toBe('run.finished');
  });
});

describe('without an event log', () => {
  test.each([
    ['that can be read', rejects],
    ['that answers', hangs],
  ])('%s, watchers still hear of the end', async (_, read) => {
    const client = await clientWith(read);
    const done = await start(stage.actor(['done']).agent);
    const failing = await start(stage.actor([{ status: 401 }]).agent);

    const [finished, failed] = await Promise.all([collect(client.attach(done.id)), collect(client.attach(failing.id))]);

    expect(finished).toMatchObject([{ type: 'run.finished', result: { output: 'done' } }]);
    expect(failed).toMatchObject([{ type: 'run.failed', failure: { type: 'Model.Refused' } }]);
  });

  test('that can be read, whoever speaks to a session still has the reply', async () => {
    const client = await clientWith(rejects);
    const { agent } = stage.actor(
      [
        { text: 'hello', delayMs: 100 },
        { status: 400, body: { error: { message: 'no' } } },
      ],
      { name: 'guide' },
    );
    const session = client.session(agent, randomUUID());

    expect(await session.say('hi')).toMatchObject({ status: 'completed', reply: 'hello' });
    await expect(session.say('hi again')).rejects.toMatchObject({ type: 'Model.Refused' });
  });
});
