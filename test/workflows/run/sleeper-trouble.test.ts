/** Runs that sleep inside of others, and runs whose snapshot is lost: what was said to them is kept until they can act upon it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { openWorld, type World } from '../../support/world.js';

let environment: TestWorkflowEnvironment;
let world: World;
beforeAll(async () => {
  environment = await devServer();
  const script = ({ model, messages }: { model: string; messages: { content?: unknown }[] }) =>
    `${model} heard ${String(messages.at(-1)?.content)}`;
  world = await openWorld({ environment, agents: ['clerk', 'editor'].map(speaker), script });
});
afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

function speaker(name: string) {
  return defineAgent({ name, instructions: 'Speak.', model: name });
}
const asleep = { status: 'waiting', asleep: { snapshotId: expect.stringMatching(/^[0-9a-f]{32}$/) } };
const untilAsleep = async (run: RunHandle) => await eventually(async () => expect(await run.status()).toMatchObject(asleep));
const plain = (run: RunHandle) => environment.client.workflow.getHandle(run.id);

async function told(run: RunHandle, filter = /^(run|wake)\./): Promise<string[]> {
  const { firstRunId } = await run.status();
  const events = await world.store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
  return events.flatMap(({ type, nested }) => (filter.test(type) && nested === undefined ? [type] : []));
}

describe.concurrent('a run that waits for another', () => {
  const desk = { name: 'desk', pattern: 'handoff' as const, agents: ['clerk'], options: { person: true } };
  const start = () => world.client.start('sequential', { agents: [desk, 'editor'], task: 'tea', sleepAfter: '1 second' });
  const innerOf = async (run: RunHandle) => world.client.attach((await run.status()).operations[0]!.runId as string);
  const bothAsleep = async (run: RunHandle) => {
    await eventually(async () => expect((await run.status()).requests).toHaveLength(1));
    await untilAsleep(run);
    const inner = await innerOf(run);
    await untilAsleep(inner);
    return inner;
  };

  test('sleeps while that one sleeps; its requests are answered at the top, and its end wakes both', async () => {
    const run = await start();
    const inner = await bothAsleep(run);
    expect((await run.requests()).map(({ requestId, prompt }) => [requestId, prompt])).toEqual([['op-1~question-1', 'clerk heard tea']]);

    await run.respond('op-1~question-1', { message: 'green', end: true });

    expect(await run.result()).toMatchObject({ status: 'completed', output: expect.stringContaining('editor heard') });
    expect(await told(inner)).toEqual(['run.started', 'run.slept', 'run.woken', 'run.finished']);
    expect((await told(run)).filter((type) => type !== 'run.slept' && type !== 'run.woken')).toEqual(['run.started', 'run.finished']);
  });

  test('is told of what is asked anew in there, and cancelled with it', async () => {
    const run = await start();
    const inner = await bothAsleep(run);
    await inner.respond('question-1', 'green');
    await eventually(async () => expect((await run.status()).requests).toEqual(['op-1~question-2']));
    await bothAsleep(run);

    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    expect(await inner.result()).toMatchObject({ status: 'cancelled' });
  });
});

describe('a run whose snapshot is lost', () => {
  /** Takes it out of the store; returns what puts it back. */
  async function lose(run: RunHandle): Promise<() => Promise<unknown>> {
    const id = (await run.status()).asleep!.snapshotId;
    const { blobs } = world.store;
    const whole = (await blobs.get(id)) as string;
    for (let i = 0; i < 2; i++) await blobs.collect((other) => other !== id, 0);
    expect(await blobs.get(id)).toBeUndefined();
    return () => blobs.put(whole);
  }
  const startDesk = async () => {
    const run = await world.client.start('handoff', {
      agents: ['clerk'],
      task: 'tea',
      options: { person: true },
      sleepAfter: '1 second',
    });
    await eventually(async () => expect((await run.status()).requests).toEqual(['question-1']));
    await untilAsleep(run);
    return run;
  };
  const lost = { ...asleep, asleep: { ...asleep.asleep, failure: { type: 'State.NotFound', message: expect.anything() } } };

  test('keeps the answer, says why it cannot wake, answers as before, and goes on once the store is mended', async () => {
    const run = await startDesk();
    const mend = await lose(run);
    await run.respond('question-1', { message: 'green', end: true });
    await eventually(async () => expect(await run.status()).toMatchObject(lost));
    expect(await told(run)).toEqual(['run.started', 'run.slept', 'wake.failed']);
    await expect(run.respond('question-1', 'black')).rejects.toMatchObject({ type: 'Request.NotPending' });
    expect((await environment.client.workflow.getHandle(run.id).describe()).status.name).toBe('RUNNING');

    await mend();

    expect(await run.result({ timeout: '2 minutes' })).toMatchObject({ status: 'completed', output: 'clerk heard tea' });
  });

  test.each([
    ['the run', (run: RunHandle) => run.cancel()],
    ["Temporal's client", (run: RunHandle) => plain(run).cancel()],
  ] as const)('ends when it is cancelled by %s, as what is left of it', async (_, cancel) => {
    const run = await startDesk();
    await lose(run);
    await run.respond('question-1', 'green');
    await eventually(async () => expect(await run.status()).toMatchObject(lost));

    await cancel(run);

    expect(await run.result({ timeout: '2 minutes' })).toMatchObject({ status: 'cancelled', output: null, rounds: 1 });
    await expect(run.save().then(({ snapshotId }) => world.client.load(snapshotId))).rejects.toMatchObject({ type: 'State.Unreadable' });
  });

  test('is kept by collect as long as it sleeps', async () => {
    const run = await startDesk();
    for (let i = 0; i < 2; i++) await world.client.collect({ grace: 0, anyGrace: true } as never);
    await run.respond('question-1', { end: true });
    expect(await run.result()).toMatchObject({ output: 'clerk heard tea' });
  });
});
