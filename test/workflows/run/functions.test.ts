import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineFunction, type FunctionContext } from '../../../src/index.js';
import { eventually } from '../../support/eventually.js';
import { openWorld } from '../../support/world.js';
import { timeSkippingServer } from '../../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const clerk = defineAgent({ name: 'clerk', instructions: 'Answer.', model: 'clerk' });
const input = { agents: ['clerk'], task: 'go', options: { classifier: { function: 'decide' }, routes: { a: 'clerk' } } };

/** Without a cache, so that no task waits for a worker that is gone: the time-skipping server would let it wait for ever. */
const leaving = { worker: { shutdownGraceMs: 50, maxCachedWorkflows: 0 } };

/** A function that hangs until it is aborted, at its first attempts; and its calls. */
function hanging(attempts = 1) {
  const calls: Pick<FunctionContext, 'attempt' | 'idempotencyKey' | 'runId'>[] = [];
  const aborted: number[] = [];
  const begun = new EventTarget();
  const decide = defineFunction({
    name: 'decide',
    run: async (_, { attempt, idempotencyKey, runId, signal }) => {
      calls.push({ attempt, idempotencyKey, runId });
      begun.dispatchEvent(new Event('call'));
      if (attempt > attempts) return 'a';
      await once(signal, 'abort');
      aborted.push(attempt);
      throw new Error('interrupted');
    },
  });
  const called = async (count: number) => {
    while (calls.length < count) await once(begun, 'call');
  };
  return { decide, calls, aborted, called };
}

describe('a registered function is tried again under the same key', () => {
  test('when its worker goes away', async () => {
    const { decide, calls, aborted, called } = hanging();
    const functions = [decide];
    await using world = await openWorld({
      environment,
      agents: [clerk],
      functions,
      script: ['fine'],
      config: leaving,
    });
    const run = await world.client.start('routing', input);
    await called(1);

    await world.worker.stop();
    await world.startWorker();

    expect((await run.result()).output).toBe('fine');
    const [{ idempotencyKey }] = calls as [(typeof calls)[number]];
    expect(calls).toEqual([1, 2].map((attempt) => ({ attempt, idempotencyKey, runId: run.id })));
    expect(aborted).toEqual([1]);
    expect((await run.checkpoint()).retryCount).toBe(1);
  });

  test('when an attempt takes longer than it may', async () => {
    const { decide, calls, aborted } = hanging(2);
    const config = { times: { tool: { attemptMs: 4000 } } };
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide], script: ['fine'], config });

    const run = await world.client.start('routing', input);

    expect((await run.result()).output).toBe('fine');
    expect(calls.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
    expect(new Set(calls.map(({ idempotencyKey }) => idempotencyKey)).size).toBe(1);
    // Each hears of it at its own next heartbeat.
    await eventually(() => expect([...aborted].sort()).toEqual([1, 2]));
  });
});

describe('a registered function that never returns', () => {
  test('fails the run when its attempts are used up', async () => {
    const { decide, calls } = hanging(Infinity);
    const config = { times: { tool: { attemptMs: 1500, attempts: 2 } } };
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide], config });

    const run = await world.client.start('routing', input);

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringContaining('The function "decide" failed for good') as string,
    });
    expect(calls).toHaveLength(2);
  });

  test('hears of an immediate cancel, and is not called again', async () => {
    const { decide, calls, aborted, called } = hanging(Infinity);
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide] });
    const run = await world.client.start('routing', input);
    await called(1);

    await run.cancel({ mode: 'immediate', reason: 'enough' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null, stopReason: { message: 'enough' } });
    await eventually(() => expect(aborted).toEqual([1]));
    expect(calls).toHaveLength(1);
  });

  test('is interrupted by the limit of time', async () => {
    const { decide, aborted } = hanging(Infinity);
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide] });

    const run = await world.client.start('routing', { ...input, limits: { time: '10 seconds' } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.time' } });
    await eventually(() => expect(aborted).toEqual([1]));
  });
});

describe('a registered function', () => {
  test('may end what it has begun where the run is cancelled gracefully; nothing starts after it', async () => {
    let end: (label: string) => void = () => undefined;
    const begun = new EventTarget();
    const decide = defineFunction({
      name: 'decide',
      run: () =>
        new Promise<string>((resolve) => {
          end = resolve;
          begun.dispatchEvent(new Event('call'));
        }),
    });
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide], script: ['fine'] });
    const beginning = once(begun, 'call');
    const run = await world.client.start('routing', input);
    await beginning;

    await run.cancel();
    end('a');

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null, rounds: 0 });
    expect((await run.checkpoint()).completedSteps).toEqual(['1/1']);
    expect(world.model.calls).toHaveLength(0);
  });

  test('that the next worker does not have any more fails the run, and says which', async () => {
    const { decide, called } = hanging();
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide], config: leaving });
    const run = await world.client.start('routing', input);
    await called(1);

    await world.worker.stop();
    await world.startWorker({ functions: [] });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringContaining('no function "decide"') as string,
    });
  });

  test('has a key of its own in each call of each run, also where one goes on with the other', async () => {
    const keys: string[] = [];
    const done = defineFunction({
      name: 'decide',
      run: (_, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return 'a';
      },
    });
    const again = defineFunction({ name: 'again', run: (_, { idempotencyKey }) => void keys.push(idempotencyKey) });
    await using world = await openWorld({ environment, agents: [clerk], functions: [done, again], script: ['one', 'two'] });

    const first = await world.client.start('routing', { ...input, output: { transform: 'again' } });
    await first.result();
    const second = await world.client.start('routing', { ...input, conversation: first.id });
    await second.result();

    expect(keys).toHaveLength(3);
    expect(new Set(keys).size).toBe(3);
  });

  test('holds a place in the history that is named after it', async () => {
    const { decide } = hanging(0);
    await using world = await openWorld({ environment, agents: [clerk], functions: [decide], script: ['fine'] });
    const run = await world.client.start('routing', input);
    await run.result();

    const { events } = await environment.client.workflow.getHandle(run.id).fetchHistory();
    const summaries = (events ?? []).flatMap(({ userMetadata }) =>
      userMetadata?.summary?.data ? [String(userMetadata.summary.data)] : [],
    );
    expect(summaries).toContain('"function decide"');
  });
});
