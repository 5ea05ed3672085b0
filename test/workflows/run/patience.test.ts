/** Time and people: reminders, escalation, answers that count instead, and who may answer. */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineAgent, defineTool, textOf, type Patience, type RequestView, type RunEvent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { Json } from '../../../src/contract/json.js';
import { eventually } from '../../support/eventually.js';
import { devServer, timeSkippingServer } from '../../support/servers.js';
import { openWorld, type Script, type World } from '../../support/world.js';

const workflowsPath = fileURLToPath(new URL('../../fixtures/asking-workflows.ts', import.meta.url));

/** Skips time. */
let environment: TestWorkflowEnvironment;
/** For what happens while there is no worker. */
let server: TestWorkflowEnvironment;
beforeAll(async () => {
  [environment, server] = await Promise.all([timeSkippingServer(), devServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await server?.teardown();
});

const day = 86_400_000;
const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });
const plain = (run: RunHandle, { client } = environment) => client.workflow.getHandle(run.id);
const passed = (time: string, ms: number) => eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(time) + ms));

async function startDesk(world: World, person: object, more: object = {}): Promise<RunHandle> {
  return await world.client.start('handoff', { agents: ['clerk'], task: 'Buy tea', options: { person: person as never }, ...more });
}

/** What was told so far of requests and of sleep. */
async function told(world: World, run: RunHandle): Promise<string[]> {
  return (await eventsOf(world, run)).flatMap(({ type }) => (/^(request|run\.(slept|woken))/.test(type) ? [type] : []));
}

const firstRunIds = new Map<string, string>();

async function eventsOf(world: World, run: RunHandle): Promise<RunEvent[]> {
  // One query, early: the server that skips time loses those that meet a run which continues as new.
  const firstRunId = firstRunIds.get(run.id) ?? (await run.status()).firstRunId;
  firstRunIds.set(run.id, firstRunId);
  return await world.store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
}

async function untilTold(world: World, run: RunHandle, type: string, times = 1): Promise<void> {
  await eventually(async () => expect((await told(world, run)).filter((one) => one === type).length).toBeGreaterThanOrEqual(times));
}

async function requestOf(run: RunHandle): Promise<RequestView> {
  const [request] = await run.requests();
  return request!;
}

describe('a reminder', () => {
  test('is told when it is due, wakes a run that sleeps, and lets it sleep again', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });
    const run = await startDesk(world, { timeout: '30 days', remind: ['1 day', '5 days'] });
    await untilTold(world, run, 'request.opened');

    await environment.sleep('2 hours');
    await untilTold(world, run, 'run.slept');
    await environment.sleep('30 hours');
    await untilTold(world, run, 'run.slept', 2);
    await environment.sleep('5 days');
    await untilTold(world, run, 'run.slept', 3);

    await run.respond('question-1', { message: 'Black', end: true });
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Green or black?' });
    expect(await told(world, run)).toEqual([
      'request.opened',
      'run.slept',
      'run.woken',
      'request.reminded',
      'run.slept',
      'run.woken',
      'request.reminded',
      'run.slept',
      'request.answered',
      'run.woken',
    ]);
    expect(await requestOf(run)).toMatchObject({ status: 'answered', reminders: 2 });
    expect(await requestOf(run)).not.toHaveProperty('remindAt');
  });

  test('comes again and again', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const run = await world.client.start('asking' as 'session', {
      options: { patience: { remind: '1 day' } } as never,
      sleepAfter: 'never',
    });
    await untilTold(world, run, 'request.opened');
    const { createdAt } = await requestOf(run);

    await environment.sleep('73 hours');
    await untilTold(world, run, 'request.reminded', 3);

    const { reminders, remindAt } = await requestOf(run);
    expect(reminders).toBe(3);
    expect(Date.parse(remindAt!)).toBe(Date.parse(createdAt) + 4 * day);
    await run.respond('question-0', 7);
    expect((await run.result()).output).toEqual([7]);
  });

  test('comes once for all that were due while nobody was there to tell', async () => {
    await using world = await openWorld({ environment: server, workflowsPath });
    const patience: Patience = { remind: ['11 seconds', '12 seconds', '13 seconds'] };
    const run = await world.client.start('asking' as 'session', { options: { patience } as never });
    await untilTold(world, run, 'request.opened');
    const { createdAt } = await requestOf(run);

    await world.worker.stop();
    await passed(createdAt, 14_000);
    await world.startWorker();
    await untilTold(world, run, 'request.reminded');

    const request = await requestOf(run);
    expect(request.reminders).toBeLessThan(3);
    expect(request.remindAt).toBeUndefined();
    await run.respond('question-0', 7);
    expect((await run.result()).output).toEqual([7]);
  });
});

describe('a request that nobody answers', () => {
  test('is passed on, as often as was said, and then answered as was said', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });
    const last = { role: 'management', timeout: '2 days', onTimeout: { answer: { message: 'Black', end: true } } };
    const run = await startDesk(
      world,
      {
        assignee: 'ann',
        timeout: '1 day',
        onTimeout: { escalate: { ...last, assignee: ['bob', 'eve'] } },
      },
      { sleepAfter: 'never' },
    );
    await untilTold(world, run, 'request.opened');
    expect(await requestOf(run)).toMatchObject({ assignee: ['ann'], status: 'pending' });

    await environment.sleep('25 hours');
    await untilTold(world, run, 'request.escalated');
    const passedOn = await requestOf(run);
    expect(passedOn).toMatchObject({ assignee: ['bob', 'eve'], role: 'management', escalatedFrom: ['ann'], status: 'pending' });
    expect(Date.parse(passedOn.expiresAt!)).toBeGreaterThan(Date.parse(passedOn.createdAt) + 3 * day - 1);
    await expect(run.respond('question-1', 'Green', { by: 'ann' })).rejects.toMatchObject({ type: 'Request.NotAssigned' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Green or black?' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['Buy tea', 'Green or black?', 'Black']);
    expect(await requestOf(run)).toMatchObject({ status: 'expired', response: { message: 'Black', end: true } });
    const events = await eventsOf(world, run);
    expect(events.filter(({ type }) => type === 'request.escalated')).toMatchObject([
      { requestId: 'question-1', assignee: ['bob', 'eve'], role: 'management', expiresAt: passedOn.expiresAt },
    ]);
    expect(events.filter(({ type }) => type === 'request.expired')).toMatchObject([{ response: { message: 'Black', end: true } }]);
  });

  test('fails the run when it was passed on in vain, where the last word is to fail', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });
    const run = await startDesk(world, { timeout: '1 day', onTimeout: { escalate: { timeout: '1 day', onTimeout: 'fail' } } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Request.Expired' });
    expect(await told(world, run)).toContain('request.escalated');
  });

  test('fails typed when the answer that was to count instead turns out to be none', async () => {
    await using world = await openWorld({ environment, workflowsPath });
    const options = { schema: { type: 'number' }, patience: { timeout: '1 day', onTimeout: { answer: 'many' } } };
    const run = await world.client.start('asking' as 'session', { options: options as never });

    await expect(run.result()).rejects.toMatchObject({ type: 'Request.Expired', message: expect.stringContaining('does not fit') });
    expect(await requestOf(run)).toMatchObject({ status: 'expired' });
  });

  test('is known to be passed on after the run was saved and loaded, and keeps what is left of its time', async () => {
    await using world = await openWorld({ environment: server, agents: [clerk], script: ['Green or black?'] });
    const next = { assignee: 'bob', timeout: '10 hours', remind: '2 hours' };
    const run = await startDesk(world, { assignee: 'ann', timeout: '1 second', onTimeout: { escalate: next } });
    await untilTold(world, run, 'request.escalated');
    const { snapshotId } = await run.save();
    const before = await requestOf(run);
    const savedAt = new Date().toISOString();
    await run.cancel();
    await passed(savedAt, 3000);

    const loaded = await world.client.load(snapshotId);
    await eventually(async () => expect(await requestOf(loaded)).toMatchObject({ assignee: ['bob'], escalatedFrom: ['ann'] }));

    const { expiresAt, remindAt } = await requestOf(loaded);
    const later = Date.parse(expiresAt!) - Date.parse(before.expiresAt!);
    expect(later).toBeGreaterThanOrEqual(2500);
    expect(Date.parse(remindAt!) - Date.parse(before.remindAt!)).toBe(later);
    await loaded.respond('question-1', { end: true }, { by: 'bob' });
    expect(await loaded.result()).toMatchObject({ status: 'completed' });
  });
});

describe('a call that waits for weeks for its approval', () => {
  const wire = (count: { effects: number }) =>
    defineTool({
      name: 'wire',
      description: 'Wires.',
      input: z.object({ amount: z.number() }),
      approval: {
        assignee: 'ann',
        timeout: '14 days',
        remind: '7 days',
        onTimeout: { escalate: { assignee: 'bob', timeout: '21 days', onTimeout: 'approve' } },
      },
      run: ({ amount }) => `${(count.effects += 1)} × ${amount}`,
    });
  const desk = (tool: ReturnType<typeof wire>) => defineAgent({ name: 'desk', instructions: 'Pay.', tools: [tool] });
  const script: Script = [{ calls: [{ name: 'wire', arguments: { amount: 5 } }] }, 'Paid.'];

  test('sleeps, reminds, asks somebody else, and does in the end what was said for that case, once', async () => {
    const count = { effects: 0 };
    await using world = await openWorld({ environment, agents: [desk(wire(count))], script });
    const run = await world.client.start('sequential', { agents: ['desk'], task: 'Pay' });

    expect(await run.result()).toMatchObject({ output: 'Paid.' });
    expect(count.effects).toBe(1);
    const events = await told(world, run);
    expect(events.filter((type) => type !== 'run.slept' && type !== 'run.woken')).toEqual([
      'request.opened',
      'request.reminded',
      'request.escalated',
      'request.expired',
    ]);
    expect(events.filter((type) => type === 'run.slept').length).toBeGreaterThanOrEqual(3);
    expect(await requestOf(run)).toMatchObject({ status: 'expired', assignee: ['bob'], escalatedFrom: ['ann'] });
  });

  test('is answered by whom it was passed on to, by a plain signal in its sleep', async () => {
    const count = { effects: 0 };
    await using world = await openWorld({ environment, agents: [desk(wire(count))], script });
    const run = await world.client.start('sequential', { agents: ['desk'], task: 'Pay' });
    await untilTold(world, run, 'request.opened');
    await environment.sleep('15 days');
    await untilTold(world, run, 'request.escalated');
    await environment.sleep('2 hours');
    await untilTold(world, run, 'run.slept', 3);

    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: 'reject', by: 'ann' });
    await plain(run).signal('respond', {
      requestId: 'approve-1-1-0',
      response: { decision: 'approve', arguments: { amount: 4 } },
      by: 'bob',
    });

    expect(await run.result()).toMatchObject({ output: 'Paid.' });
    expect(count.effects).toBe(1);
    expect(await requestOf(run)).toMatchObject({ status: 'answered', by: 'bob' });
  });
});

describe('a pattern of somebody else that hands on what it was given', () => {
  test.each([
    [7],
    ['soon'],
    [{ onTimeout: null, timeout: '1 second' }],
    [{ onTimeout: { escalate: null }, timeout: '1 second' }],
    [{ onTimeout: { escalate: 7 }, timeout: '1 second' }],
    [{ onTimeout: { answer: null }, timeout: '1 second' }],
    [{ onTimeout: 7, timeout: '1 second' }],
    [{ remind: null, assignee: null, role: null }],
    [{ remind: [null, {}, 'soon'], assignee: 7, role: 7 }],
    [{ timeout: 1e300, remind: 1e299 }],
  ])('is not stuck by %j', async (patience) => {
    await using world = await openWorld({ environment: server, workflowsPath });
    const run = await world.client.start('asking' as 'session', { options: { patience } as never });
    if (!JSON.stringify(patience).includes('1 second')) {
      await untilTold(world, run, 'request.opened');
      await run.respond('question-0', 7, { by: 'ann' });
    }

    expect(await run.result({ timeout: '60 seconds' })).toMatchObject({ status: 'completed' });
    const { events } = await plain(run, server).fetchHistory();
    expect((events ?? []).filter(({ workflowTaskFailedEventAttributes: failed }) => failed)).toEqual([]);
  });
});

describe('an assignee', () => {
  test('is the only one whose answer counts, by update and by signal; nothing is consumed before', async () => {
    await using world = await openWorld({ environment, agents: [clerk], script: ['Green or black?'] });
    const run = await startDesk(world, { assignee: ['ann', 'bob'], role: 'buying' });
    await untilTold(world, run, 'request.opened');
    const answer: Json = { message: 'Black', end: true };

    await expect(run.respond('question-1', answer)).rejects.toMatchObject({
      type: 'Request.NotAssigned',
      message: expect.stringContaining('"ann", "bob"'),
    });
    await expect(run.respond('question-1', answer, { by: 'eve' })).rejects.toMatchObject({ type: 'Request.NotAssigned' });
    await plain(run).signal('respond', { requestId: 'question-1', response: answer, by: 'Ann' });
    expect(await requestOf(run)).toMatchObject({ status: 'pending', assignee: ['ann', 'bob'], role: 'buying' });
    await plain(run).signal('respond', { requestId: 'question-1', response: answer, by: 'bob' });

    expect(await run.result()).toMatchObject({ status: 'completed' });
    expect(await requestOf(run)).toMatchObject({ status: 'answered', by: 'bob' });
    const refused = (await eventsOf(world, run)).filter(({ type }) => type === 'input.refused');
    expect(refused).toMatchObject([{ handler: 'respond', reason: expect.stringContaining('not for "Ann"') }]);
  });

  test('of a run within is known at the top, also who it is passed on to', async () => {
    await using world = await openWorld({ environment: server, agents: [clerk], script: ['Green or black?'] });
    const person = { assignee: 'ann', timeout: '2 seconds', onTimeout: { escalate: { assignee: 'bob' } } };
    const desk = { name: 'desk', pattern: 'handoff' as const, agents: ['clerk'], options: { person } };
    const run = await world.client.start('sequential', { agents: [desk as never], task: 'Buy tea' });

    await eventually(async () => expect(await run.requests()).toMatchObject([{ assignee: ['bob'], escalatedFrom: ['ann'] }]));
    const { requestId } = await requestOf(run);
    await expect(run.respond(requestId, { end: true }, { by: 'ann' })).rejects.toMatchObject({ type: 'Request.NotAssigned' });
    await run.respond(requestId, { end: true }, { by: 'bob' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Green or black?' });
    const opened = (await eventsOf(world, run)).find(({ type }) => type === 'request.opened');
    expect(opened).toMatchObject({ assignee: ['ann'], nested: expect.any(String) });
  });
});

describe('in the same instant', () => {
  test('two decisions on a call and the end of its time have one winner, and one effect at most', async () => {
    let effects = 0;
    const wire = defineTool({
      name: 'wire',
      description: 'Wires.',
      input: z.object({}),
      approval: { timeout: '12 seconds', remind: '11 seconds' },
      run: () => `wired ${(effects += 1)}`,
    });
    const desk = defineAgent({ name: 'desk', instructions: 'Pay.', tools: [wire] });
    const script: Script = [{ calls: [{ name: 'wire', arguments: {} }] }, 'Done.'];
    await using world = await openWorld({ environment: server, agents: [desk], script });
    const run = await world.client.start('sequential', { agents: ['desk'], task: 'Pay' });
    await untilTold(world, run, 'request.opened');
    const { createdAt } = await requestOf(run);
    await world.worker.stop();
    await plain(run, server).signal('respond', { requestId: 'approve-1-1-0', response: 'approve', by: 'ann' });
    await plain(run, server).signal('respond', { requestId: 'approve-1-1-0', response: 'reject', by: 'bob' });
    await passed(createdAt, 13_000);
    await world.startWorker();

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Done.' });
    const request = await requestOf(run);
    expect(effects).toBe(request.status === 'answered' ? 1 : 0);
    const events = await eventsOf(world, run);
    expect(events.filter(({ type }) => /^request\.(answered|expired|withdrawn)/.test(type))).toHaveLength(1);
    expect(events.filter(({ type }) => type === 'input.refused').length).toBeGreaterThanOrEqual(1);
  });

  test('the answer, its contradiction, the end of its time and a cancel have one winner, and the others are told', async () => {
    await using world = await openWorld({ environment: server, workflowsPath });
    const patience: Patience = { timeout: '12 seconds', remind: '11 seconds' };
    const run = await world.client.start('asking' as 'session', { options: { patience } as never });
    await untilTold(world, run, 'request.opened');
    const { createdAt } = await requestOf(run);
    // One workflow task for everything that comes while there is no worker.
    await world.worker.stop();
    await plain(run, server).signal('respond', { requestId: 'question-0', response: 7, by: 'ann' });
    await plain(run, server).signal('respond', { requestId: 'question-0', response: 8, by: 'bob' });
    await plain(run, server).signal('cancel', {});
    await passed(createdAt, 13_000);
    await world.startWorker();

    expect(await run.result()).toMatchObject({ status: 'cancelled' });
    const events = await eventsOf(world, run);
    const settled = events.flatMap(({ type }) => (/^request\.(answered|expired|withdrawn)/.test(type) ? [type] : []));
    expect(settled).toHaveLength(1);
    const [request] = await run.requests();
    expect(request).toMatchObject(
      settled[0] === 'request.answered' ? { status: 'answered', response: 7, by: 'ann' } : { status: 'expired' },
    );
    const refused = events.flatMap((event) => (event.type === 'input.refused' ? [event.reason] : []));
    expect(refused.at(-1)).toMatch(/has been answered already by ann, otherwise|expired at/);
  });
});
