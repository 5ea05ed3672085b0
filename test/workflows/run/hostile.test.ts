import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineAgent, defineTool } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { RunEvent } from '../../../src/contract/event.js';
import { openWorld, type World } from '../../support/world.js';
import { eventually } from '../../support/eventually.js';
import { failedTasksIn, historyOf } from '../../support/history.js';
import { garbage, json, nestedJson, payload, RawTemporal, type RawPayload } from '../../support/raw.js';
import { devServer } from '../../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await devServer();
});
afterAll(async () => {
  await environment?.teardown();
});

/** JSON that is written without recursion, but cannot be written again with it. */
const deep = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
const payloadsOf = (text: string) => ({
  payloads: [{ metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from(text) }],
});
const guide = defineAgent({ name: 'guide', instructions: 'Help.', model: 'guide' });

test.each([10_000, 100_000])('a signal nested %d levels deep harms nobody', async (levels) => {
  await using world = await openWorld({ environment, agents: [guide], script: ['one', 'two'] });
  const session = world.client.session('guide', world.taskQueue);
  await session.say('before');
  const { workflowService, options } = environment.client;

  for (const text of [deep(levels), `{"message":${deep(levels)}}`, `{"message":{"role":"user","contents":[${deep(levels)}]}}`]) {
    await workflowService.signalWorkflowExecution({
      namespace: options.namespace,
      workflowExecution: { workflowId: session.id },
      signalName: 'say',
      input: payloadsOf(text),
    });
  }

  expect((await session.say('after')).reply).toBe('two');
  expect(await session.transcript()).toHaveLength(4);
  await session.cancel();
});

test.each([
  ['task', (text: string) => `{"agents":["guide"],"task":${text}}`],
  ['unknown member', (text: string) => `{"agents":["guide"],"task":"x","more":${text}}`],
  ['schema of an inline agent', (text: string) => `{"agents":[{"name":"a","instructions":"x","outputSchema":{"x":${text}}}],"task":"x"}`],
  ['state', (text: string) => `{"state":{"stateVersion":1,"progress":{"x":${text}}}}`],
])('a run with a %s nested 100,000 levels deep fails at once', async (_, document) => {
  await using world = await openWorld({ environment, agents: [guide] });
  const { workflowService, options } = environment.client;
  const workflowId = `deep-${world.taskQueue}`;

  await workflowService.startWorkflowExecution({
    namespace: options.namespace,
    workflowId,
    workflowType: { name: 'sequential' },
    taskQueue: { name: world.taskQueue },
    requestId: workflowId,
    input: payloadsOf(document(deep(100_000))),
  });

  await expect(world.client.attach(workflowId).result({ timeout: '1 minute' })).rejects.toMatchObject({
    type: expect.stringMatching(/^(Input\.Invalid|State\.Unreadable)$/),
  });
});

test('a model that nests its arguments too deep, and a tool that nests its result, are told so', async () => {
  const nest = defineTool({
    name: 'nest',
    description: 'Nests.',
    input: z.looseObject({}),
    run: () => JSON.parse(deep(50_000)) as unknown,
  });
  const nester = defineAgent({ name: 'nester', instructions: 'Nest.', model: 'nester', tools: [nest] });
  await using world = await openWorld({
    environment,
    agents: [nester],
    script: [{ calls: [{ name: 'nest', arguments: `{"x":${deep(50_000)}}` }] }, { calls: [{ name: 'nest', arguments: {} }] }, 'enough'],
  });

  const run = await world.client.start('sequential', { agents: ['nester'], task: 'nest' });

  expect((await run.result({ timeout: '1 minute' })).output).toBe('enough');
});

test('a reply with hundreds of calls is not a reply', async () => {
  await using world = await openWorld({
    environment,
    agents: [guide],
    config: { times: { model: { attempts: 1 } } },
    script: [{ calls: Array.from({ length: 300 }, (_, i) => ({ name: `tool${i}`, arguments: {} })) }],
  });

  const run = await world.client.start('sequential', { agents: ['guide'], task: 'x' });

  await expect(run.result({ timeout: '1 minute' })).rejects.toMatchObject({
    type: 'Model.Unavailable',
    message: expect.stringContaining('128 calls'),
  });
});

describe('a run that waits for a person is not harmed by', () => {
  /** Once a person is asked. */
  async function ask(world: World, input: object = { agents: ['guide'], options: { person: true } }): Promise<RunHandle> {
    const run = await world.client.start('handoff', { task: 'Help me', ...input });
    for await (const event of run.watch()) if (event.type === 'request.opened' && event.nested === undefined) break;
    return run;
  }

  async function seen(world: World, run: RunHandle): Promise<RunEvent[]> {
    const log = { workflowId: run.id, firstRunId: (await run.status()).firstRunId };
    return await world.store.events.read(log, { epoch: 0, seq: 0 }, { limit: 5000 });
  }

  async function expectUnharmed(world: World, run: RunHandle, requestId: string): Promise<RunEvent[]> {
    expect((await run.status()).requests).toEqual([requestId]);
    await run.respond(requestId, { end: true });
    expect(await run.result({ timeout: '1 minute' })).toMatchObject({ status: 'completed', output: 'Which one?' });
    expect(failedTasksIn(await historyOf(environment, run.id, (await run.status()).firstRunId))).toEqual([]);
    return await seen(world, run);
  }

  const answer = (response: unknown) => json({ requestId: 'question-1', response });
  const answers: [name: string, input: RawPayload[] | undefined][] = [
    ...garbage,
    ['another object', [json({ text: 'hello' })]],
    ['no answer', [json({ requestId: 'question-1' })]],
    ['an id of the wrong type', [json({ requestId: { toString: 1 }, response: 'hello' })]],
    ['an answer of the wrong type', [answer(7)]],
    ['an answer with too much in it', [answer({ message: 'hello', more: true })]],
    ['an answer by an object', [json({ requestId: 'question-1', response: 'hello', by: {} })]],
    ['an answer by too many', [json({ requestId: 'question-1', response: 'hello', by: 'x'.repeat(201) })]],
    ['an answer that pretends', [payload('json/plain', '{"requestId": "question-1", "response": {"__proto__": {"message": "hello"}}}')]],
    ['an answer nested too deep', [payload('json/plain', `{"requestId": "question-1", "response": ${nestedJson(100_000)}}`)]],
    ['a megabyte of answer', [answer('x'.repeat(1024 ** 2))]],
  ];

  test('what is not an answer, sent as one by signal and by update', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['Which one?'] });
    const run = await ask(world);
    const raw = new RawTemporal(environment);

    for (const [name, input] of answers) {
      await raw.signal(run.id, 'respond', input);
      expect([name, (await raw.update(run.id, 'respond', input))?.type]).toEqual([name, 'Input.Invalid']);
    }
    for (const requestId of ['question-2', '__proto__', 'constructor', 'x'.repeat(10_000)]) {
      await raw.signal(run.id, 'respond', [json({ requestId, response: 'hello' })]);
      expect((await raw.update(run.id, 'respond', [json({ requestId, response: 'hello' })]))?.type).toBe('Request.NotPending');
    }

    const events = await expectUnharmed(world, run, 'question-1');
    expect(events.filter(({ type }) => type === 'input.refused')).toHaveLength(answers.length + 4);
  });

  test('what is not a reason to stop, sent as one', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['Which one?'] });
    const run = await ask(world, { agents: ['guide'], options: { person: true }, termination: { type: 'external' } });
    const raw = new RawTemporal(environment);
    // To say nothing is enough to stop.
    const enough = ['no argument', 'an empty list of arguments', 'null'];
    const reasons: typeof garbage = [
      ...garbage.filter(([name]) => !enough.includes(name)),
      ['a reason of the wrong type', [json({ reason: 7 })]],
    ];

    for (const [name, input] of reasons) {
      await raw.signal(run.id, 'stop', input);
      expect([name, (await raw.update(run.id, 'stop', input))?.type]).toEqual([name, 'Input.Invalid']);
    }

    const events = await expectUnharmed(world, run, 'question-1');
    expect(events.flatMap((event) => (event.type === 'input.refused' ? [event.handler] : []))).toEqual(reasons.map(() => 'stop'));
  });

  test('a stop, where no condition asks for one', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['Which one?'] });
    const run = await ask(world);
    const raw = new RawTemporal(environment);

    for (const [, input] of garbage) {
      await raw.signal(run.id, 'stop', input);
      expect((await raw.update(run.id, 'stop', input))?.type).toBe('Input.Invalid');
    }

    await expectUnharmed(world, run, 'question-1');
  });

  const view = { requestId: 'question-7', kind: 'question', prompt: 'Why?', createdAt: '2026-01-31T09:00:00Z', status: 'pending' };
  const report = (changes: object) => [json({ operationId: 'op-1', requests: [{ ...view, ...changes }] })];
  const reports: typeof garbage = [
    ...garbage,
    ['no operation', [json({ requests: [view] })]],
    ['an operation without a name', [json({ operationId: '', requests: [view] })]],
    ['an end that is no end', [json({ operationId: 'op-1', ended: 'yes' })]],
    ['requests that are no list', [json({ operationId: 'op-1', requests: view })]],
    ['a request that is nothing', [json({ operationId: 'op-1', requests: [null] })]],
    ['too many requests', [json({ operationId: 'op-1', requests: Array.from({ length: 201 }, () => view) })]],
    ['a request without a name', report({ requestId: '' })],
    ['a request with a huge name', report({ requestId: 'x'.repeat(2000) })],
    ['a request that asks an object', report({ prompt: {} })],
    ['a request of the year dot', report({ createdAt: '0000-01-01T00:00:00Z' })],
    ['a request that expires never', report({ expiresAt: 'never' })],
    ['a request with a schema that is none', report({ schema: [] })],
    ['a request in a state of its own', report({ status: 'lost' })],
    ['a request by an object', report({ agent: {} })],
    ['a request answered by an object', report({ status: 'answered', by: {} })],
    ['a schema nested too deep', [payload('json/plain', `{"operationId":"op-1","requests":[{"schema":{"x":${nestedJson(100_000)}}}]}`)]],
  ];
  const panel = { agents: [{ name: 'panel', pattern: 'handoff' as const, agents: ['guide'], options: { person: true } }] };

  /** The question of the member is listed at the top. */
  async function askAbove(world: World): Promise<RunHandle> {
    const run = await world.client.start('sequential', { task: 'Help me', ...panel });
    await eventually(async () => expect((await run.status()).requests).toEqual(['op-1~question-1']));
    return run;
  }

  test('what a member would never tell, sent in its name', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['Which one?'] });
    const run = await askAbove(world);
    const raw = new RawTemporal(environment);

    for (const [, input] of reports) await raw.signal(run.id, 'nested', input);
    // Of a run that is not there, and that says it has ended although it has not.
    await raw.signal(run.id, 'nested', [json({ operationId: 'op-9', requests: [view], ended: true })]);
    await raw.signal(run.id, 'nested', [json({ operationId: 'op-1', ended: true })]);

    const events = await expectUnharmed(world, run, 'op-1~question-1');
    const refused = events.flatMap((event) => (event.type === 'input.refused' && event.nested === undefined ? [event.handler] : []));
    expect(refused).toEqual(reports.map(() => 'nested'));
  });

  test('a flood of requests in the name of a member', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['Which one?'], historyEvents: 30 });
    const run = await askAbove(world);
    const raw = new RawTemporal(environment);

    for (let i = 0; i < 20; i++) {
      const requests = Array.from({ length: 25 }, (_, n) => ({
        ...view,
        requestId: `question-${i}-${n}`,
        prompt: 'Why? '.repeat(1500),
        operation: 'op-1',
        nestedId: 'question-1',
      }));
      await raw.signal(run.id, 'nested', [json({ operationId: 'op-1', requests })]);
    }
    await eventually(async () => expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1));

    const known = await run.requests();
    expect(JSON.stringify(known).length).toBeLessThan(512 * 1024);
    expect(known[0]).toMatchObject({ requestId: 'op-1~question-1', status: 'pending', prompt: 'Which one?' });
    await run.respond('op-1~question-1', { end: true });
    expect(await run.result({ timeout: '1 minute' })).toMatchObject({ status: 'completed', output: 'Which one?' });
  });
});
