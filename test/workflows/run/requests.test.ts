import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { WorkflowHandle } from '@temporalio/client';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { defineAgent, textOf, type RequestView, type RunEvent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { Json } from '../../../src/contract/json.js';
import type { PersonOptions } from '../../../src/contract/pattern.js';
import { bundleWorkflows } from '../../../src/worker.js';
import { refusalOfRespond } from '../../../src/workflows/run/requests.js';
import type { AnyRun } from '../../../src/workflows/run/run.js';
import { eventually } from '../../support/eventually.js';
import { openWorld, type World } from '../../support/world.js';
import { devServer, timeSkippingServer } from '../../support/servers.js';

const workflowsPath = fileURLToPath(new URL('../../fixtures/asking-workflows.ts', import.meta.url));

/** Skips time. */
let environment: TestWorkflowEnvironment;
/** For what is asked while a run continues as new, and for workers that are lost. */
let server: TestWorkflowEnvironment;
beforeAll(async () => {
  [environment, server] = await Promise.all([timeSkippingServer(), devServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await server?.teardown();
});

const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });

async function startDesk(world: World, person: true | PersonOptions = true, more: object = {}): Promise<RunHandle> {
  return await world.client.start('handoff', { agents: ['clerk'], task: 'Buy tea', options: { person, ...more } });
}

/** Temporal's own client, which knows nothing of ours. */
function plain(run: RunHandle, { client }: TestWorkflowEnvironment = environment): WorkflowHandle {
  return client.workflow.getHandle(run.id);
}

/** Once so many wait. */
async function waiting(run: RunHandle, count = 1): Promise<RequestView[]> {
  for (;;) {
    const open = (await run.requests()).filter(({ status }) => status === 'pending');
    if (open.length >= count) return open;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** As `waiting`, without a query: the server that skips time loses those that meet a run which continues as new. */
async function opened(run: RunHandle): Promise<RunEvent> {
  for await (const event of run.watch()) if (event.type === 'request.opened') return event;
  throw new Error('The run has ended and asked nothing.');
}

async function seen(world: World, run: RunHandle): Promise<RunEvent[]> {
  const log = { workflowId: run.id, firstRunId: (await run.status()).firstRunId };
  return await world.store.events.read(log, { epoch: 0, seq: 0 }, { limit: 5000 });
}

const kindsOf = (events: RunEvent[]) => events.flatMap(({ type }) => (type.startsWith('request.') ? [type] : []));

describe('a request', () => {
  test('is listed with everything that an answer needs', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });

    const run = await startDesk(world, { timeout: '1 day' });
    const [request] = await waiting(run);

    expect(request).toEqual({
      requestId: 'question-1',
      kind: 'question',
      prompt: 'Green or black?',
      schema: expect.objectContaining({ anyOf: expect.anything() }),
      agent: 'clerk',
      createdAt: expect.stringMatching(/^\d{4}-.*Z$/),
      expiresAt: new Date(Date.parse(request!.createdAt) + 86_400_000).toISOString(),
      status: 'pending',
    });
    expect(await plain(run).query('requests')).toEqual([request]);
    expect(await run.status()).toMatchObject({ status: 'waiting', requests: ['question-1'] });
    await run.cancel();
    await run.result();
  });

  test("is answered by an update of Temporal's own client, with plain JSON", async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?', 'Black it is.'] });
    const run = await startDesk(world);
    await waiting(run);

    const answer = { requestId: 'question-1', response: 'Black', by: 'anna' };
    expect(await plain(run).executeUpdate('respond', { args: [answer] })).toEqual({ requestId: 'question-1', status: 'answered' });

    const [next] = await waiting(run);
    expect(next).toMatchObject({ requestId: 'question-2', prompt: 'Black it is.' });
    await run.respond('question-2', { end: true });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Black it is.' });
    expect(world.model.calls[1]?.heard('anna', 'Black')).toBe(true);
    expect(await run.requests()).toMatchObject([
      { requestId: 'question-1', status: 'answered', response: 'Black', by: 'anna', answeredAt: expect.any(String) },
      { requestId: 'question-2', status: 'answered', response: { end: true } },
    ]);
    expect(kindsOf(await seen(world, run))).toEqual(['request.opened', 'request.answered', 'request.opened', 'request.answered']);
  });

  test("is answered by a signal of Temporal's own client, with the same JSON", async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });
    const run = await startDesk(world);
    await waiting(run);

    await plain(run).signal('respond', { requestId: 'question-1', response: { message: 'Black', end: true } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Green or black?' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['Buy tea', 'Green or black?', 'Black']);
  });

  test('still waits after an answer that does not fit, whether by update or by signal', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?', 'Fine.'] });
    const run = await startDesk(world);
    await waiting(run);

    const wrong: Json[] = [null, 7, '', [], {}, { words: 'Black' }, { message: '' }, { end: 'yes' }, { message: 'Black', more: 1 }];
    for (const response of wrong) {
      await expect(run.respond('question-1', response)).rejects.toMatchObject({
        type: 'Input.Invalid',
        message: expect.stringContaining('The request still waits.'),
      });
      await plain(run).signal('respond', { requestId: 'question-1', response });
    }

    expect((await waiting(run)).map(({ requestId }) => requestId)).toEqual(['question-1']);
    await run.respond('question-1', 'Black');
    await waiting(run);
    await run.cancel();
    await run.result();
    expect(world.model.calls[1]?.heard('Black')).toBe(true);
    const refused = (await seen(world, run)).filter(({ type }) => type === 'input.refused');
    expect(refused).toHaveLength(9);
    expect(refused[0]).toMatchObject({ handler: 'respond', reason: expect.stringContaining('response') });
  });

  test('takes the same answer again as said already, and no other one', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { stays: true } as never });
    await waiting(run);
    const answered = { requestId: 'question-0', status: 'answered' };

    expect(await run.respond('question-0', { many: 7, of: 'tea' }, { by: 'anna' })).toEqual(answered);
    expect(await run.respond('question-0', { of: 'tea', many: 7 })).toEqual(answered);
    await expect(run.respond('question-0', { many: 8, of: 'tea' })).rejects.toMatchObject({
      type: 'Request.NotPending',
      message: expect.stringContaining('"question-0" has been answered already by anna, otherwise'),
    });
    await expect(run.respond('question-9', 7)).rejects.toMatchObject({
      type: 'Request.NotPending',
      message: expect.stringContaining('No request "question-9" is known here. Open: stays.'),
    });

    await run.respond('stays', true);
    expect((await run.result()).output).toEqual([{ many: 7, of: 'tea' }]);
    // A closed run takes nothing any more, and says so.
    await expect(run.respond('question-0', 7)).rejects.toMatchObject({ type: 'Run.Closed' });
  });

  test('may be asked while a run comes to its end', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', {
      options: { lastWords: true } as never,
      termination: { type: 'external' },
    });
    await waiting(run);
    await run.stop({ reason: 'enough' });

    await eventually(async () => expect((await waiting(run)).map(({ requestId }) => requestId)).toContain('last-words'));
    await run.respond('last-words', 'Thank you.');

    expect(await run.result()).toMatchObject({ stopReason: { code: 'condition' }, output: 'Thank you.' });
  });

  test('shows the beginning of a huge prompt, without half a character at its end', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { prompt: `x${'🫖'.repeat(20_000)}` } as never });

    const [request] = await waiting(run);

    expect(request!.prompt).toBe(`x${'🫖'.repeat(3999)}…`);
    await run.cancel();
    await run.result();
  });

  test('is withdrawn when the run ends without it', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { count: 3 } as never });
    await waiting(run, 3);
    await run.respond('question-1', 'one');
    await run.cancel({ mode: 'immediate' });

    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    expect((await run.requests()).map(({ requestId, status }) => `${requestId} ${status}`)).toEqual([
      'question-0 withdrawn',
      'question-2 withdrawn',
      'question-1 answered',
    ]);
  });
});

describe('a request that expires', () => {
  test('is not answered any more', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { timeoutMs: 3600_000, stays: true } as never });
    const [{ expiresAt }] = (await waiting(run)) as [RequestView];

    await environment.sleep('61 minutes');
    await eventually(async () => expect((await run.requests()).map(({ status }) => status)).toEqual(['expired', 'pending']));

    await expect(run.respond('question-0', 7)).rejects.toMatchObject({
      type: 'Request.NotPending',
      message: expect.stringContaining(`expired at ${expiresAt}`),
    });
    await run.respond('stays', 'yes');
    expect((await run.result()).output).toEqual(['expired']);
    expect(kindsOf(await seen(world, run))).toEqual(['request.opened', 'request.expired', 'request.opened', 'request.answered']);
  });

  test('does not expire any more once it is answered', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { timeoutMs: 3600_000, stays: true } as never });
    await waiting(run);

    await environment.sleep('59 minutes');
    await run.respond('question-0', 7);
    await environment.sleep('2 hours');
    await run.respond('stays', 'yes');

    expect((await run.result()).output).toEqual([7]);
    expect(kindsOf(await seen(world, run))).not.toContain('request.expired');
  });

  test('takes what comes first, the answer or the expiry; where a nested run decides that, what the clock says', () => {
    const asked = {
      kind: 'question',
      prompt: 'How many?',
      createdAt: '2026-01-31T09:00:00Z',
      expiresAt: '2026-01-31T10:00:00Z',
      status: 'pending',
    };
    const refusalIn = (request: object) => {
      const run = { state: { requests: [{ ...asked, requestId: 'question-0', ...request }] }, phase: 'waiting', isStopped: false };
      return refusalOfRespond(run as unknown as AnyRun, { requestId: 'question-0', response: 7 });
    };

    // Sent in time, and heard late: there was no worker meanwhile.
    expect(refusalIn({})).toBeUndefined();
    expect(refusalIn({ status: 'expired' })).toMatchObject({ type: 'Request.NotPending' });
    expect(refusalIn({ operation: 'op-1', nestedId: 'question-0' })).toMatchObject({ type: 'Request.NotPending' });
    expect(refusalIn({ operation: 'op-1', nestedId: 'question-0', expiresAt: '9999-01-01T00:00:00Z' })).toBeUndefined();
  });

  test('keeps its time when the run continues as new', async () => {
    await using world = await openWorld({ environment, workflowsPath, historyEvents: 5 });
    const run = await world.client.start('asking' as 'session', { options: { timeoutMs: 3600_000 } as never });
    const openedAt = Date.parse((await opened(run)).at);

    await environment.sleep('30 minutes');
    // Whatever comes makes it continue as new.
    for (let i = 0; i < 3; i++) await plain(run).signal('hello', i);

    expect((await run.result()).output).toEqual(['expired']);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    expect(await run.requests()).toMatchObject([{ status: 'expired', createdAt: new Date(openedAt).toISOString() }]);
    const expired = (await seen(world, run)).find(({ type }) => type === 'request.expired');
    expect(Date.parse(expired!.at) - openedAt).toBeGreaterThanOrEqual(3600_000);
    expect(Date.parse(expired!.at) - openedAt).toBeLessThan(3700_000);
  });
});

describe('a person who never answers', () => {
  test.each([
    [
      'ends the run with what there is, when nothing else is said',
      { timeout: '1 day' },
      { status: 'stopped', stopReason: { code: 'person.silent' }, output: 'Green or black?', rounds: 1 },
    ],
    [
      'ends the run with what there is',
      { timeout: '1 day', onTimeout: 'end' },
      { status: 'stopped', stopReason: { code: 'person.silent' }, output: 'Green or black?', rounds: 1 },
    ],
    [
      'is told of, and the agents go on until their turns are used up',
      { timeout: '1 day', onTimeout: 'continue' },
      { status: 'stopped', stopReason: { code: 'limit.turns' }, output: 'Green or black?', rounds: 3 },
    ],
  ] as const)('%s', async (_, person, result) => {
    await using world = await openWorld({ environment, agents: [clerk], script: () => 'Green or black?' });

    const run = await startDesk(world, person, { maxTurns: 3 });

    expect(await run.result()).toMatchObject(result);
    expect((await run.requests()).every(({ status }) => status === 'expired')).toBe(true);
    if (result.rounds === 3) expect(world.model.calls[1]?.heard('user', 'Nobody has answered. Go on without an answer.')).toBe(true);
  });

  test('fails a run that cannot go on without', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });

    const run = await startDesk(world, { timeout: '1 day', onTimeout: 'fail' });

    await expect(run.result()).rejects.toMatchObject({ type: 'Request.Expired' });
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Request.Expired' } });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['Buy tea', 'Green or black?']);
  });

  test('is waited for no longer than the run may last', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });

    const run = await world.client.start('handoff', {
      agents: ['clerk'],
      task: 'Buy tea',
      options: { person: true },
      limits: { time: '30 days' },
    });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.time' }, output: 'Green or black?' });
    expect(await run.requests()).toMatchObject([{ status: 'withdrawn' }]);
  });

  test('is waited for no longer than a condition says', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });

    const run = await world.client.start('handoff', {
      agents: ['clerk'],
      task: 'Buy tea',
      options: { person: true },
      termination: { type: 'timeout', after: '30 days' },
    });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: 'Green or black?' });
  });
});

describe('requests that wait', () => {
  test('are the same after the run has continued as new, and after its worker was lost', async () => {
    await using world = await openWorld({ environment: server, workflowsPath, historyEvents: 5 });
    const run = await world.client.start('asking' as 'session', { options: { count: 3 } as never });
    const before = await waiting(run, 3);

    for (let i = 0; i < 5; i++) await plain(run, server).signal('hello', i);
    await run.respond('question-1', 'one');
    await world.worker.stop();
    await world.startWorker({ workflowsPath });
    expect(await waiting(run, 2)).toEqual(before.filter(({ requestId }) => requestId !== 'question-1'));
    // What was answered before it continued as new is remembered.
    expect(await run.respond('question-1', 'one')).toEqual({ requestId: 'question-1', status: 'answered' });
    await run.respond('question-2', 'two');
    await plain(run, server).signal('respond', { requestId: 'question-0', response: 'zero' });

    expect((await run.result()).output).toEqual(['zero', 'one', 'two']);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    expect(kindsOf(await seen(world, run)).sort()).toEqual([
      ...Array.from({ length: 3 }, () => 'request.answered'),
      ...Array.from({ length: 3 }, () => 'request.opened'),
    ]);
  });

  test('replay as they happened, whenever they were answered', async () => {
    await using world = await openWorld({ environment: server, workflowsPath, historyEvents: 5 });
    const run = await world.client.start('asking' as 'session', { options: { count: 8, inTurn: true } as never });
    for (let i = 0; i < 8; i++) {
      await waiting(run);
      await run.respond(`question-${i}`, i);
    }
    await run.result();

    const workflowBundle = await bundleWorkflows(workflowsPath);
    const { workflow } = server.client;
    for (let runId: string | undefined = (await run.status()).firstRunId; runId;) {
      const history = await workflow.getHandle(run.id, runId).fetchHistory();
      await Worker.runReplayHistory({ workflowBundle }, history, run.id);
      runId = history.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? undefined;
    }
  });

  test('may be a thousand, all of them listed and none of them too long', async () => {
    await using world = await openWorld({ environment: server, workflowsPath });
    const options = { count: 1000, prompt: 'How many? '.repeat(800) };
    const run = await world.client.start('asking' as 'session', { options: options as never });

    const open = await waiting(run, 1000);
    expect(open.map(({ requestId }) => requestId)).toEqual(Array.from({ length: 1000 }, (_, i) => `question-${i}`));
    expect(JSON.stringify(open).length).toBeLessThan(1024 * 1024);
    expect(open.map(({ prompt }) => prompt.length)).toEqual(Array.from({ length: 1000 }, (_, i) => (i < 33 ? 8000 : 200)));
    await run.respond('question-999', 7);
    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled' });
  });

  test('are forgotten beyond the last hundred once they wait no more', async () => {
    await using world = await openWorld({ environment: server, workflowsPath, historyEvents: 5 });
    const run = await world.client.start('asking' as 'session', { options: { count: 1000, timeoutMs: 1, stays: true } as never });

    await waiting(run);
    await eventually(async () => expect((await run.requests()).at(-1)?.requestId).toBe('stays'));
    const known = await run.requests();
    expect(known.map(({ status }) => status)).toEqual([...Array.from({ length: 100 }, () => 'expired'), 'pending']);
    await run.respond('stays', 'yes');

    expect((await run.result()).output).toEqual(Array.from({ length: 1000 }, () => 'expired'));
    expect(await run.requests()).toHaveLength(100);
    expect((await seen(world, run)).filter(({ type }) => type === 'request.expired')).toHaveLength(1000);
  });

  test('are remembered as long as they are small', async () => {
    await using world = await openWorld({ environment: server, workflowsPath, historyEvents: 5 });
    const run = await world.client.start('asking' as 'session', { options: { count: 9, inTurn: true } as never });
    const large = (i: number) => `${i}`.padEnd(200_000, '.');

    for (let i = 0; i < 8; i++) {
      await waiting(run);
      await run.respond(`question-${i}`, large(i));
    }
    await waiting(run);
    expect((await run.requests()).map(({ requestId, status }) => `${requestId} ${status}`)).toEqual([
      'question-6 answered',
      'question-7 answered',
      'question-8 pending',
    ]);
    // Kept whole, so that it may come twice.
    expect(await run.respond('question-7', large(7))).toMatchObject({ status: 'answered' });
    await run.respond('question-8', 'small');

    expect((await run.result()).output).toBe(9);
  });
});

describe('requests of nested runs', () => {
  const desk = (name: string) => ({ name, pattern: 'handoff' as const, agents: ['clerk'], options: { person: true } });

  test('are listed at the top as much as fits, however many and long they are, and answered there', async () => {
    const question = '茶は緑か黒か。'.repeat(1500);
    await using world = await openWorld({ environment: server, agents: [clerk], script: () => question });
    const names = Array.from({ length: 12 }, (_, i) => `desk${i}`);

    const run = await world.client.start('sequential', {
      agents: [{ name: 'floor', pattern: 'concurrent', agents: names.map(desk) }],
      task: 'Buy tea',
    });
    const open = await waiting(run, 12);
    expect(open.every(({ prompt }) => question.startsWith(prompt.replace('…', '')))).toBe(true);
    for (const { requestId } of open) await run.respond(requestId, { end: true });

    expect(await run.result()).toMatchObject({ status: 'completed' });
    expect((await run.requests()).every(({ status }) => status === 'answered')).toBe(true);
  });

  test('that were answered there are not waited for here', async () => {
    await using world = await openWorld({ environment: server, agents: [clerk], script: ['Green or black?', 'How much?'] });

    const run = await world.client.start('sequential', { agents: [desk('shop')], task: 'Buy tea' });
    const [asked] = await waiting(run);
    expect(asked).toMatchObject({ requestId: 'op-1~question-1', agent: 'clerk', prompt: 'Green or black?' });
    const [shop] = (await run.status()).operations;
    await world.client.attach(shop!.runId as string).respond('question-1', 'Black', { by: 'anna' });

    await eventually(async () => {
      const known = (await run.requests()).map(({ requestId, status }) => `${requestId} ${status}`);
      expect(known).toEqual(['op-1~question-1 answered', 'op-1~question-2 pending']);
    });
    expect(await run.respond('op-1~question-1', 'Black')).toMatchObject({ status: 'answered' });
    await expect(run.respond('op-1~question-1', 'Green')).rejects.toMatchObject({ type: 'Request.NotPending' });
    await run.respond('op-1~question-2', { end: true });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'How much?' });
  });
});
