/** Calls of tools that a person has to approve: what is asked, what an answer does, and that nothing else happens. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineFunction, defineTool, type AgentDefinition, type RequestView, type RunEvent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { Json } from '../../../src/contract/json.js';
import type { ScriptedCall } from '../../../src/testing/index.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { openStage, type Stage } from '../../support/stage.js';

/** What took effect: `refund 50 for a1`, by key. */
const effects = new Map<string, string>();
const effectsOf = (text: string) => [...effects.values()].filter((effect) => effect.includes(text));

const amount = z.object({ amount: z.number().positive(), for: z.string() });
const pay =
  (name: string) =>
  async (given: z.output<typeof amount>, { idempotencyKey }: { idempotencyKey: string }) => {
    effects.set(idempotencyKey, `${name} ${given.amount} for ${given.for}`);
    return `${name} of ${given.amount} done`;
  };
const tools = [
  defineTool({
    name: 'refund',
    description: 'Refunds.',
    input: amount,
    approval: { when: (given) => given.amount > 100, assignee: ['ann', 'bob'], role: 'finance' },
    run: pay('refund'),
  }),
  defineTool({ name: 'wire', description: 'Wires.', input: amount, approval: true, run: pay('wire') }),
  defineTool({ name: 'credit', description: 'Credits.', input: amount, run: pay('credit') }),
  defineTool({
    name: 'slow',
    description: 'Waits until it is let go.',
    input: amount,
    run: async (given, context) => {
      while (!letGo.has(given.for)) await new Promise((resolve) => setTimeout(resolve, 20));
      return await pay('slow')(given, context);
    },
  }),
  defineTool({
    name: 'doubtful',
    description: 'Has a predicate that throws.',
    input: amount,
    approval: {
      when: () => {
        throw new Error('down');
      },
    },
    run: pay('doubtful'),
  }),
];
/** What slow tools wait for. */
const letGo = new Set<string>();
const over = defineFunction<{ amount: number }>({ name: 'over10', run: ({ amount: given }) => given > 10 });

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment, tools, functions: [over] });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const calling = (...calls: [name: string, amount: number, what: string][]) => ({
  calls: calls.map(([name, given, what]) => ({ name, arguments: { amount: given, for: what } })),
});
const results = (call: ScriptedCall | undefined) =>
  call?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content) ?? [];
const plain = (run: RunHandle) => environment.client.workflow.getHandle(run.id);
const start = async (agent: AgentDefinition, more: object = {}) =>
  await stage.world.client.start('sequential', { agents: [agent], task: 'go', ...more });

async function pending(run: RunHandle, count = 1): Promise<RequestView[]> {
  return await eventually(async () => {
    const open = (await run.requests()).filter(({ status }) => status === 'pending');
    expect(open).toHaveLength(count);
    return open;
  });
}

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const { firstRunId } = await run.status();
  return await stage.world.store.events.read({ workflowId: run.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
}

/** Of all executions of the run. */
async function failedTasks(run: RunHandle): Promise<number> {
  const { events } = await plain(run).fetchHistory();
  return (events ?? []).filter(({ workflowTaskFailedEventAttributes: failed }) => failed).length;
}

describe.concurrent('a call that has to be approved', () => {
  test('is asked for with everything that one needs to know, and runs once when it is approved', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['refund', 500, what]), 'Refunded.'], { name: 'desk', tools: ['refund'] });
    const run = await start(agent);
    const [request] = await pending(run);

    expect(request).toMatchObject({
      requestId: 'approve-1-1-0',
      kind: 'toolApproval',
      prompt: expect.stringMatching(/^desk wants to call refund:\n[^]*500/),
      agent: 'desk',
      assignee: ['ann', 'bob'],
      role: 'finance',
      call: { tool: 'refund', arguments: { amount: 500, for: what } },
    });
    expect(request!.schema).toMatchObject({ anyOf: [{ enum: ['approve', 'reject'] }, expect.anything(), expect.anything()] });
    expect(await run.status()).toMatchObject({ status: 'waiting', requests: ['approve-1-1-0'] });
    expect(effectsOf(what)).toEqual([]);
    await expect(run.respond('approve-1-1-0', 'approve', { by: 'eve' })).rejects.toMatchObject({ type: 'Request.NotAssigned' });
    await run.respond('approve-1-1-0', 'approve', { by: 'ann' });

    expect(await run.result()).toMatchObject({ output: 'Refunded.' });
    expect(effectsOf(what)).toEqual([`refund 500 for ${what}`]);
    expect(results(calls[1])).toEqual(['refund of 500 done']);
    const told = (await eventsOf(run)).filter(({ type }) => /^(request|tool)\./.test(type)).map(({ type }) => type);
    expect(told).toEqual(['request.opened', 'request.answered', 'tool.called', 'tool.returned']);
    // Repeated, it is the same answer; another one is too late.
    await expect(run.respond('approve-1-1-0', 'reject')).rejects.toMatchObject({ type: 'Run.Closed' });
  });

  test('is not carried out when it is rejected, and the agent is told why', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['wire', 500, what]), 'Not wired.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);

    await plain(run).signal('respond', {
      requestId: 'approve-1-1-0',
      response: { decision: 'reject', feedback: 'Ask him first.' },
      by: 'ann',
    });

    expect(await run.result()).toMatchObject({ output: 'Not wired.' });
    expect(effectsOf(what)).toEqual([]);
    expect(results(calls[1])).toEqual(['"wire" was not called: ann rejected it. Ask him first.']);
    expect((await eventsOf(run)).filter(({ type }) => type === 'tool.returned')).toMatchObject([{ step: '1/1/0', ok: false }]);
  });

  test('runs with other arguments, which are checked first; the conversation keeps what the model wrote', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['wire', 500, what]), 'Wired.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);
    const answer = (args: Json) => run.respond('approve-1-1-0', { decision: 'approve', arguments: args });

    await expect(answer({ amount: 'all', for: what })).rejects.toMatchObject({ type: 'Input.Invalid', message: /arguments\.amount/ });
    await expect(answer({ amount: 50 })).rejects.toMatchObject({ type: 'Input.Invalid', message: /still waits/ });
    await answer({ amount: 50, for: what });

    expect(await run.result()).toMatchObject({ output: 'Wired.' });
    expect(effectsOf(what)).toEqual([`wire 50 for ${what}`]);
    expect(JSON.parse(results(calls[1])[0]!)).toEqual({
      argumentsChangedTo: { amount: 50, for: what },
      by: 'a person',
      result: 'wire of 50 done',
    });
    const [, reply] = await run.transcript();
    expect(reply?.message.contents).toMatchObject([{ $type: 'functionCall', arguments: { amount: 500, for: what } }]);
  });

  test('is shown by its beginning when its arguments are large, and runs with all of them', async () => {
    const what = `${randomUUID()} ${'x'.repeat(100_000)}`;
    const { agent } = stage.actor([calling(['wire', 500, what]), 'Wired.'], { tools: ['wire'] });
    const run = await start(agent);
    const [request] = await pending(run);

    expect(request!.prompt).toContain(what.slice(0, 1000));
    expect(request!.call?.arguments).toMatch(/^\{"amount":500,"for":"[^]*\[cut: /);
    await run.respond('approve-1-1-0', 'approve');

    expect(await run.result()).toMatchObject({ output: 'Wired.' });
    expect(effectsOf(what.slice(0, 36))).toEqual([`wire 500 for ${what}`]);
  });

  test('is checked again by the tool, where its JSON schema cannot say what it takes', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['wire', 500, what]), 'Not wired.'], { tools: ['wire'] });
    const run = await start(agent);
    const [request] = await pending(run);
    // What no schema of the request can hold: here it says more than 0, elsewhere it may be left out.
    expect(JSON.stringify(request!.schema)).toContain('exclusiveMinimum');
    await expect(run.respond('approve-1-1-0', { decision: 'approve', arguments: { amount: -1, for: what } })).rejects.toMatchObject({
      type: 'Input.Invalid',
    });
    await run.respond('approve-1-1-0', { decision: 'reject' });

    expect(await run.result()).toMatchObject({ output: 'Not wired.' });
    expect(results(calls[1])).toEqual(['"wire" was not called: a person rejected it.']);
  });

  test('needs no approval any more in this run once somebody has said so, for this agent and this tool', async () => {
    const what = randomUUID();
    const lines = [calling(['wire', 1, what]), calling(['wire', 2, what], ['doubtful', 3, what]), 'Done.'];
    const { agent, calls } = stage.actor(lines, { tools: ['wire', 'doubtful'] });
    const run = await start(agent);
    await pending(run);
    await run.respond('approve-1-1-0', { decision: 'approve', remember: true });

    const [other] = await pending(run);
    expect(other).toMatchObject({ requestId: 'approve-1-2-1', call: { tool: 'doubtful' } });
    await run.respond('approve-1-2-1', 'reject');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toEqual([`wire 1 for ${what}`, `wire 2 for ${what}`]);
    expect(results(calls[2])).toContain('wire of 2 done');
  });

  test('is asked for only where it is needed: by its arguments, and where that cannot be told', async () => {
    const what = randomUUID();
    const lines = [
      {
        calls: [
          { name: 'refund', arguments: { amount: 100, for: what } },
          { name: 'refund', arguments: { amount: -5, for: what } },
          { name: 'refund', arguments: 'no JSON' },
          { name: 'doubtful', arguments: { amount: 1, for: what } },
          { name: 'credit', arguments: { amount: 10, for: what } },
          { name: 'unknown', arguments: '{}' },
        ],
      },
      calling(['credit', 11, what]),
      'Done.',
    ];
    const { agent, calls } = stage.actor(lines, { tools: ['refund', 'doubtful', { tool: 'credit', approval: { when: 'over10' } }] });
    const run = await start(agent);
    expect(await pending(run)).toMatchObject([{ requestId: 'approve-1-1-3', call: { tool: 'doubtful' } }]);
    await run.respond('approve-1-1-3', 'reject');
    expect(await pending(run)).toMatchObject([{ requestId: 'approve-1-2-0', call: { tool: 'credit' } }]);
    await run.respond('approve-1-2-0', 'reject');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what).sort()).toEqual([`credit 10 for ${what}`, `refund 100 for ${what}`]);
    expect(results(calls[1])[1]).toContain('The arguments of "refund" are wrong');
  });

  test('is asked for together with all others of its reply; what needs no approval runs meanwhile, and each goes on when it is decided', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['wire', 1, what], ['credit', 2, what], ['wire', 3, what]), 'Done.'], {
      tools: ['wire', 'credit'],
    });
    const run = await start(agent);
    expect((await pending(run, 2)).map(({ requestId }) => requestId)).toEqual(['approve-1-1-0', 'approve-1-1-2']);
    await eventually(() => expect(effectsOf(what)).toEqual([`credit 2 for ${what}`]));

    await run.respond('approve-1-1-2', 'approve');
    await eventually(() => expect(effectsOf(what)).toEqual([`credit 2 for ${what}`, `wire 3 for ${what}`]));
    expect(await pending(run)).toMatchObject([{ requestId: 'approve-1-1-0' }]);
    await run.respond('approve-1-1-0', 'reject');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(results(calls[1])).toEqual(['"wire" was not called: a person rejected it.', 'credit of 2 done', 'wire of 3 done']);
  });

  test('takes one of two answers that come at once, and the other one is told so', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['wire', 1, what]), 'Done.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);

    const answers = await Promise.allSettled([
      run.respond('approve-1-1-0', 'approve', { by: 'ann' }),
      run.respond('approve-1-1-0', 'reject', { by: 'bob' }),
    ]);
    const { output } = await run.result();

    expect(output).toBe('Done.');
    const refused = answers.filter(({ status }) => status === 'rejected');
    expect(refused).toMatchObject([{ reason: { type: expect.stringMatching(/^(Request\.NotPending|Run\.Closed)$/) } }]);
    const [request] = await run.requests();
    expect(effectsOf(what)).toHaveLength(request!.response === 'approve' ? 1 : 0);
  });

  test('waits on through whatever is no answer: every wrong kind, forged and replayed ids, a million characters', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['wire', 1, what]), calling(['wire', 2, what]), 'Done.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);
    const wrong: Json[] = [
      null,
      true,
      7,
      '',
      'yes',
      'Approve',
      [],
      ['approve'],
      {},
      { decision: 'maybe' },
      { decision: 'approve', feedback: 'x' },
      { decision: 'approve', arguments: 'all' },
      { decision: 'approve', arguments: [] },
      { decision: 'approve', remember: 'always' },
      { decision: 'reject', arguments: {} },
      { decision: 'reject', feedback: 'x'.repeat(9000) },
      { decision: 'reject', feedback: ['x'] },
      { approve: true },
      { decision: 'approve', arguments: { amount: 1, for: 'x'.repeat(100_000) } },
    ];
    for (const response of wrong) {
      await expect(run.respond('approve-1-1-0', response)).rejects.toMatchObject({ type: 'Input.Invalid' });
      await plain(run).signal('respond', { requestId: 'approve-1-1-0', response });
    }
    const long = { decision: 'reject', feedback: 'x'.repeat(1_000_000) };
    await expect(run.respond('approve-1-1-0', long)).rejects.toMatchObject({ type: expect.stringMatching(/^Input\./) });
    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: long });
    for (const requestId of ['approve-1-1-1', 'approve-2-1-0', 'b1:approve-1-1-0', 'op-1~approve-1-1-0', '__proto__', 'x'.repeat(10_000)]) {
      await expect(run.respond(requestId, 'approve')).rejects.toMatchObject({ type: 'Request.NotPending' });
      await plain(run).signal('respond', { requestId, response: 'approve' });
    }
    expect(await pending(run)).toMatchObject([{ requestId: 'approve-1-1-0', status: 'pending' }]);
    expect(effectsOf(what)).toEqual([]);

    // The second call is a request of its own: an answer to the first is none to it.
    await run.respond('approve-1-1-0', 'approve');
    expect(await pending(run)).toMatchObject([{ requestId: 'approve-1-2-0' }]);
    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: 'approve' });
    await expect(run.respond('approve-1-1-0', 'reject')).rejects.toMatchObject({ type: 'Request.NotPending' });
    expect(effectsOf(what)).toEqual([`wire 1 for ${what}`]);
    await run.respond('approve-1-2-0', 'reject');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(await failedTasks(run)).toBe(0);
  });

  test.each([
    ['approve', 1, 'wire of 1 done'],
    ['reject', 0, '"wire" was not called: nobody has approved it in time.'],
    [undefined, 0, '"wire" was not called: nobody has approved it in time.'],
    [{ answer: { decision: 'reject', feedback: 'Nobody is in.' } }, 0, '"wire" was not called: a person rejected it. Nobody is in.'],
  ])('when nobody decides in time, with onTimeout %j', async (onTimeout, count, told) => {
    const what = randomUUID();
    const approval = { timeout: '1 second', ...(onTimeout !== undefined && { onTimeout }) } as never;
    const { agent, calls } = stage.actor([calling(['wire', 1, what]), 'Done.'], { tools: [{ tool: 'wire', approval }] });
    const run = await start(agent);

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toHaveLength(count);
    expect(results(calls[1])).toEqual([told]);
  });

  test('fails its turn when nobody decides in time and that is what was chosen; the other requests of the turn are withdrawn', async () => {
    const what = randomUUID();
    const approval = { timeout: '1 second', onTimeout: 'fail' } as const;
    const { agent } = stage.actor([calling(['credit', 1, what], ['wire', 2, what])], {
      tools: [{ tool: 'credit', approval }, 'wire'],
    });
    const run = await start(agent);

    await expect(run.result()).rejects.toMatchObject({ type: 'Request.Expired' });
    expect((await run.requests()).map(({ status }) => status).sort()).toEqual(['expired', 'withdrawn']);
    expect(effectsOf(what)).toEqual([]);
  });

  test('is withdrawn when the run is asked to stop: the agent is told, and comes to its end', async () => {
    const what = randomUUID();
    const { agent, calls } = stage.actor([calling(['wire', 1, what]), calling(['wire', 2, what]), 'I stop here.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);

    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'I stop here.' });
    expect(results(calls[1])).toEqual(['"wire" was not called: the request for an approval was withdrawn: the run is about to end.']);
    expect(await run.requests()).toMatchObject([{ status: 'withdrawn' }]);
    expect(effectsOf(what)).toEqual([]);
  });

  test('is withdrawn with the turn that asked, when that is broken off and the run goes on', async () => {
    const what = randomUUID();
    const slow = stage.actor([calling(['wire', 1, what])], { name: 'slow', tools: ['wire'] });
    const quick = stage.actor(['Here.'], { name: 'quick' });
    const run = await stage.world.client.start('concurrent', {
      agents: [slow.agent, quick.agent],
      task: 'go',
      options: { failurePolicy: 'collect', memberTimeout: '3 seconds' },
    });
    await pending(run);

    expect(await run.result()).toMatchObject({ status: 'completed' });
    const [request] = await run.requests();
    expect(request).toMatchObject({ status: 'withdrawn' });
    expect((await eventsOf(run)).filter(({ type }) => type === 'request.withdrawn')).toHaveLength(1);
  });
});

describe.concurrent('a run that waits for an approval', () => {
  test('sleeps, and is woken by an answer of Temporal’s own client', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['wire', 1, what], ['wire', 2, what]), 'Done.'], { tools: ['wire'] });
    const run = await start(agent, { sleepAfter: '1 second' });
    await eventually(async () => expect(await run.status()).toMatchObject({ status: 'waiting', asleep: expect.anything() }));
    expect(await run.requests()).toMatchObject([
      { requestId: 'approve-1-1-0', call: { arguments: { amount: 1, for: what } } },
      { requestId: 'approve-1-1-1', call: { arguments: { amount: 2, for: what } } },
    ]);
    await expect(run.respond('approve-1-1-0', { decision: 'approve', arguments: {} })).rejects.toMatchObject({ type: 'Input.Invalid' });

    await plain(run).signal('respond', {
      requestId: 'approve-1-1-1',
      response: { decision: 'approve', arguments: { amount: 3, for: what } },
    });
    await eventually(() => expect(effectsOf(what)).toEqual([`wire 3 for ${what}`]));
    await eventually(async () => expect(await run.status()).toMatchObject({ asleep: expect.anything(), requests: ['approve-1-1-0'] }));
    await plain(run).executeUpdate('respond', { args: [{ requestId: 'approve-1-1-0', response: 'approve' }] });

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toEqual([`wire 3 for ${what}`, `wire 1 for ${what}`]);
  });

  test('remembers after a sleep what needs no approval any more', async () => {
    const what = randomUUID();
    const lines = [calling(['wire', 1, what]), calling(['doubtful', 2, what]), calling(['wire', 3, what]), 'Done.'];
    const { agent } = stage.actor(lines, { tools: ['wire', 'doubtful'] });
    const run = await start(agent, { sleepAfter: '1 second' });
    await pending(run);
    await run.respond('approve-1-1-0', { decision: 'approve', remember: true });
    await eventually(async () => expect(await run.status()).toMatchObject({ asleep: expect.anything(), requests: ['approve-1-2-0'] }));
    await run.respond('approve-1-2-0', 'approve');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toHaveLength(3);
  });

  test('asks anew under another id when it is put back, and what is answered to the old one counts for nothing', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['wire', 1, what]), 'Done.', 'Done again.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);
    const { snapshotId } = await run.save();
    await run.rollback({ snapshotId });

    expect(await eventually(async () => (await pending(run)).map(({ requestId }) => requestId))).toEqual(['b1:approve-1-1-0']);
    await expect(run.respond('approve-1-1-0', 'approve')).rejects.toMatchObject({ type: 'Request.NotPending' });
    await plain(run).signal('respond', { requestId: 'approve-1-1-0', response: 'approve' });
    expect(effectsOf(what)).toEqual([]);
    await run.respond('b1:approve-1-1-0', 'approve');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toHaveLength(1);
  });

  test('is loaded as another run with the request open, each answered by itself', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['wire', 1, what]), 'Done.', 'Done.'], { tools: ['wire'] });
    const run = await start(agent);
    await pending(run);
    const { snapshotId } = await run.save();
    const loaded = await stage.world.client.load(snapshotId);
    await pending(loaded);

    await loaded.respond('approve-1-1-0', 'approve');
    expect(await loaded.result()).toMatchObject({ output: 'Done.' });
    expect(await pending(run)).toHaveLength(1);
    await run.respond('approve-1-1-0', 'reject');

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(effectsOf(what)).toHaveLength(1);
  });

  test('does not hand on to a run that is loaded from it what needs no approval any more', async () => {
    const what = randomUUID();
    const lines = [calling(['wire', 1, what]), calling(['doubtful', 2, what]), calling(['wire', 3, what]), 'Done.'];
    const { agent } = stage.actor([...lines, lines[2]!, 'Done.'], { tools: ['wire', 'doubtful'] });
    const run = await start(agent);
    await pending(run);
    await run.respond('approve-1-1-0', { decision: 'approve', remember: true });
    await pending(run);
    const { snapshotId } = await run.save();
    await run.respond('approve-1-2-0', 'reject');
    expect(await run.result()).toMatchObject({ status: 'completed' });

    const loaded = await stage.world.client.load(snapshotId);
    await pending(loaded);
    await loaded.respond('approve-1-2-0', 'reject');
    expect(await eventually(async () => (await pending(loaded)).map(({ requestId }) => requestId))).toEqual(['approve-1-3-0']);
    await loaded.cancel();
  });

  test('inside of another is answered at the top', async () => {
    const what = randomUUID();
    const { agent } = stage.actor([calling(['refund', 500, what]), 'Refunded.'], { name: 'desk', tools: ['refund'] });
    const panel = { name: 'panel', pattern: 'sequential' as const, agents: [agent] };
    const run = await stage.world.client.start('sequential', { agents: [panel], task: 'go' });
    const [request] = await pending(run);

    expect(request).toMatchObject({
      requestId: expect.stringMatching(/^op-.*~approve-2-1-0$/),
      assignee: ['ann', 'bob'],
      role: 'finance',
      call: { tool: 'refund' },
    });
    await expect(run.respond(request!.requestId, 'approve')).rejects.toMatchObject({ type: 'Request.NotAssigned' });
    await run.respond(request!.requestId, 'approve', { by: 'bob' });

    expect(await run.result()).toMatchObject({ output: 'Refunded.' });
    expect(effectsOf(what)).toHaveLength(1);
  });

  test('asks for more than it remembers at the same time, and takes every answer', async () => {
    const what = randomUUID();
    const count = 120;
    const many = Array.from({ length: count }, (_, i): [string, number, string] => ['wire', i + 1, what]);
    const { agent, calls } = stage.actor([calling(...many), 'Done.'], { tools: ['wire'] });
    const run = await start(agent);
    const open = await pending(run, count);

    for (const { requestId } of open)
      await plain(run).signal('respond', { requestId, response: { decision: 'reject', feedback: 'x'.repeat(7000) } });

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(results(calls[1])).toHaveLength(count);
    expect(effectsOf(what)).toEqual([]);
    expect(await failedTasks(run)).toBe(0);
  });
});

describe.concurrent('while something of the same reply runs', () => {
  test('the run does not continue as new, nor is it saved in between: every call has its one effect', async () => {
    const what = randomUUID();
    const lines = [
      {
        calls: [
          { name: 'slow', arguments: { amount: 1, for: what } },
          { name: 'wire', arguments: { amount: 2, for: what } },
        ],
      },
      'Done.',
      'Done again.',
    ];
    const { agent, calls } = stage.actor(lines, { tools: ['slow', 'wire'] });
    const run = await start(agent);
    await pending(run);
    const saved = run.save();
    await run.respond('approve-1-1-1', 'approve');
    await eventually(() => expect(effectsOf(what)).toEqual([`wire 2 for ${what}`]));
    letGo.add(what);
    const { snapshotId } = await saved;

    expect(await run.result()).toMatchObject({ output: 'Done.' });
    expect(results(calls[1])).toEqual(['slow of 1 done', 'wire of 2 done']);
    expect(effectsOf(what)).toHaveLength(2);
    // What was done before the snapshot is not done again after it.
    const loaded = await stage.world.client.load(snapshotId);
    expect(await loaded.result()).toMatchObject({ output: 'Done again.' });
    expect(effectsOf(what)).toHaveLength(2);
  });
});

describe('what an agent says of approvals', () => {
  test.each([
    [[{ tool: 'nope', approval: true }], 'agents[0].tools[0] no tool is called "nope" here'],
    [[{ tool: 'wire', approval: { when: 'nope' } }], 'agents[0].tools[0].approval.when no function is called "nope" here'],
    [[{ tool: 'wire', approval: false }], 'agents[0].tools[0].approval must be true or an object'],
    [[{ tool: 'wire', approval: { onTimeout: 'end' } }], 'agents[0].tools[0].approval.onTimeout must be one of approve, reject, fail'],
    [[{ tool: 'wire', approval: { onTimeout: { answer: 'yes' } } }], 'approval.onTimeout.answer must be an answer to the request'],
    [['wire', { tool: 'wire', approval: true }], 'agents[0].tools two of them are called "wire"'],
    [[{ tool: 'wire', aproval: true }], 'did you mean "approval"?'],
  ])('%j is refused when the run starts', async (given, words) => {
    const { agent } = stage.actor([]);
    const run = start({ ...agent, tools: given as never }).then((started) => started.result());

    await expect(run).rejects.toMatchObject({ type: expect.stringMatching(/^Input\./) });
    const { message } = (await run.catch((error: unknown) => error)) as Error;
    expect(message.replaceAll(': ', ' ')).toContain(words);
  });
});
