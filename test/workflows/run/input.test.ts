import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import { defineAgent, defineFunction, defineOrchestration, textOf, type Json, type RunInput } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { Problem } from '../../../src/contract/problems.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const calls: { [name: string]: unknown[] } = {};
const made: { [name: string]: (task: never) => unknown } = {
  spell: ({ topic }: { topic: string }) => `Write about ${topic}.`,
  several: ({ topic }: { topic: string }) => [
    { role: 'system', contents: [{ $type: 'text', text: 'Be brief.' }] },
    { role: 'user', authorName: 'anna', contents: [{ $type: 'text', text: topic }] },
    'Now.',
  ],
  nothing: () => undefined,
  empty: () => [],
  blank: () => '  ',
  number: () => 7,
  badList: () => ['fine', { role: 'user' }],
  throws: () => {
    throw new Error('no pen');
  },
};
const functions = Object.entries(made).map(([name, run]) =>
  defineFunction({ name, run: (task: never) => ((calls[name] ??= []).push(task), run(task)) }),
);
const scribe = defineAgent({ name: 'scribe', instructions: 'Write.', model: 'nobody' });
const letter = defineOrchestration({
  name: 'letter',
  pattern: 'sequential',
  agents: [scribe],
  input: { schema: z.object({ topic: z.string() }), transform: functions[0]! },
});

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, functions, orchestrations: [letter] });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const topic: Json = { type: 'object', properties: { topic: { type: 'string' }, length: { type: 'integer' } }, required: ['topic'] };

/** One agent answers whatever this input comes to. */
async function play(task: unknown, input: object | undefined, more: object = {}) {
  const { agent, calls } = stage.actor(['fine']);
  const run = await stage.world.client.start('sequential', { agents: [agent], task, ...(input && { input }), ...more } as RunInput);
  return { run, calls };
}

/** The same past the client and its checks, as from the Temporal CLI. */
async function playRaw(document: object): Promise<RunHandle> {
  const { agent } = stage.actor(['fine']);
  const { taskQueue, client } = stage.world;
  const workflowId = `raw/${randomUUID()}`;
  await environment.client.workflow.start('sequential', { workflowId, taskQueue, args: [{ agents: [agent], ...document }] });
  return client.attach(workflowId);
}

async function transcript(run: RunHandle): Promise<string[]> {
  return (await run.transcript()).map(({ message }) => `${message.authorName ?? message.role}: ${textOf(message)}`);
}

type Failure = Error & { type: string; details?: [Problem[]] };
const failureOf = async (promise: Promise<unknown>) => (await promise.catch((error: unknown) => error)) as Failure;

describe('a task of any JSON is heard as JSON in the message of a user', () => {
  test.each<[string, Json, string]>([
    ['an object', { topic: 'tea', length: 3 }, '{\n  "topic": "tea",\n  "length": 3\n}'],
    ['a list', [1, 2], '[\n  1,\n  2\n]'],
    ['a number', 0, '0'],
    ['false', false, 'false'],
    ['a text, which stays one', 'tea', 'tea'],
    ['an empty list', [], '[]'],
    ['what looks like a message', { role: 'user', contents: [] }, '{\n  "role": "user",\n  "contents": []\n}'],
  ])('%s', async (_, task, words) => {
    const { run, calls } = await play(task, {});

    expect((await run.result()).output).toBe('fine');
    expect(calls[0]?.messages.slice(1)).toMatchObject([{ role: 'user', content: words }]);
    expect(await transcript(run)).toEqual([`user: ${words}`, 'actor: fine']);
  });

  test('where no form is asked for, only texts and messages are tasks', async () => {
    expect(await failureOf(play({ topic: 'tea' }, undefined))).toMatchObject({ type: 'Input.Invalid' });
    expect(await failureOf((await playRaw({ task: { topic: 'tea' } })).result())).toMatchObject({ type: 'Input.Invalid' });
    expect(await failureOf((await playRaw({ task: 0 })).result())).toMatchObject({ type: 'Input.Invalid' });
  });

  test('fits its schema, and is refused by the client where it does not', async () => {
    const { run } = await play({ topic: 'tea' }, { schema: topic });
    expect((await run.result()).output).toBe('fine');

    const failure = await failureOf(play({ topic: 7, length: 1.5 }, { schema: topic }));
    expect(failure).toMatchObject({ type: 'Input.Invalid' });
    expect(failure.details?.[0]).toEqual([
      { path: 'task.topic', message: 'must be a string, not 7' },
      { path: 'task.length', message: 'must be a whole number, not 1.5' },
    ]);
  });

  test('is refused by the run as well, with every problem, and nothing was said', async () => {
    const run = await playRaw({ task: [{ topic: 'tea' }, { topic: 7 }, {}], input: { schema: { type: 'array', items: topic } } });

    const failure = await failureOf(run.result());

    expect(failure).toMatchObject({ type: 'Input.Invalid' });
    expect(failure.message).toMatch(/The task has 2 problems:\n- task\[1\].topic: must be a string, not 7\n- task\[2\].topic: is missing/);
    expect(await run.transcript()).toEqual([]);
    expect(await run.status()).toMatchObject({ status: 'failed', rounds: 0 });
  });

  test.each<[string, object, string]>([
    ['nothing', {}, 'task: is missing'],
    ['null', { task: null }, 'task: is missing'],
    ['nothing, where any JSON is taken', { input: {} }, 'task: is missing'],
    ['null, where any JSON is taken', { task: null, input: {} }, 'task: is missing'],
    ['an empty text, where any JSON is taken', { task: ' ', input: {} }, 'task: empty'],
    ['an empty list, where none is', { task: [] }, 'task'],
  ])('is not %s', async (_, document, message) => {
    const failure = await failureOf((await playRaw(document)).result());

    expect(failure).toMatchObject({ type: 'Input.Invalid', message: expect.stringContaining(message) as string });
  });

  test('may be as large as a run input', async () => {
    const { run, calls } = await play({ topic: 'x'.repeat(700_000) }, { schema: topic });

    expect((await run.result()).output).toBe('fine');
    expect(calls[0]?.messages.at(-1)?.content).toHaveLength(700_000 + '{\n  "topic": ""\n}'.length);
  });

  test('that grows too large where it is written out is refused', async () => {
    const task = Array.from({ length: 60_000 }, () => ({ a: 1 }));

    const failure = await failureOf((await playRaw({ task, input: {} })).result());

    expect(failure).toMatchObject({ type: 'Input.Invalid', message: expect.stringContaining('task: larger than 1024 KiB') as string });
  });
});

describe('a task with a transform', () => {
  test('is what the function makes of it', async () => {
    const { run, calls } = await play({ topic: 'tea' }, { schema: topic, transform: 'spell' });

    expect(await run.result()).toMatchObject({ output: 'fine', rounds: 1 });
    expect(calls[0]?.messages.slice(1)).toMatchObject([{ role: 'user', content: 'Write about tea.' }]);
  });

  test('may become several messages, in the order given', async () => {
    const { run, calls } = await play({ topic: 'tea' }, { transform: 'several' });

    expect((await run.result()).output).toBe('fine');
    expect(await transcript(run)).toEqual(['system: Be brief.', 'anna: tea', 'user: Now.', 'actor: fine']);
    expect(calls[0]?.heard('anna', 'tea')).toBe(true);
  });

  test('is transformed once, also where the run continues as new after every few events', async () => {
    await using restless = await openStage({ environment, functions, historyEvents: 5 });
    const cast = ['a', 'b', 'c'].map((name) => restless.actor([name], { name }));
    calls.spell = [];

    const run = await restless.world.client.start('sequential', {
      agents: cast.map(({ agent }) => agent),
      task: { topic: 'tea' },
      input: { transform: 'spell' },
    });

    expect((await run.result()).output).toBe('c');
    expect(calls.spell).toEqual([{ topic: 'tea' }]);
    expect(await transcript(run)).toEqual(['user: Write about tea.', 'a: a', 'b: b', 'c: c']);
  });

  test.each([
    ['nothing', /must make a message of the task, or several: it returned nothing/],
    ['empty', /task: an empty list/],
    ['blank', /task: empty/],
    ['number', /task: expected a string or/],
    ['badList', /task\[1\].contents: expected a list/],
    ['throws', /no pen/],
  ])('that is "%s" fails the run before anybody speaks', async (transform, message) => {
    const { run, calls: asked } = await play({ topic: 'tea' }, { transform });

    expect(await failureOf(run.result())).toMatchObject({ type: 'Function.Failed', message: expect.stringMatching(message) as string });
    expect(calls[transform]).toHaveLength(1);
    expect(asked).toHaveLength(0);
    expect(await run.transcript()).toEqual([]);
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Function.Failed' } });
  });

  test('that nobody knows is named', async () => {
    const { run } = await play({ topic: 'tea' }, { transform: 'spel' });

    expect(await failureOf(run.result())).toMatchObject({
      type: 'Input.UnknownAgent',
      message: expect.stringContaining('input.transform: no function is called "spel" here; did you mean "spell"?') as string,
    });
  });

  test('is not transformed where it does not fit', async () => {
    calls.spell = [];
    const run = await playRaw({ task: { topic: 7 }, input: { schema: topic, transform: 'spell' } });

    expect(await failureOf(run.result())).toMatchObject({ type: 'Input.Invalid' });
    expect(calls.spell).toEqual([]);
  });
});

describe('an orchestration that says what its task is', () => {
  test('takes it from anybody who starts it by name', async () => {
    const { agent } = stage.actor(['fine']);
    const run = await stage.world.client.start('sequential', { orchestration: 'letter', agents: [agent], task: { topic: 'tea' } });

    expect((await run.result()).output).toBe('fine');
    expect(await transcript(run)).toEqual(['user: Write about tea.', 'actor: fine']);
  });

  test('refuses another', async () => {
    const run = await playRaw({ orchestration: 'letter', task: { topc: 'tea' } });

    expect(await failureOf(run.result())).toMatchObject({
      type: 'Input.Invalid',
      message: expect.stringContaining('task.topic: is missing') as string,
    });
  });

  test('may be told of another form', async () => {
    const { run } = await play([1], {}, { orchestration: 'letter' });

    await run.result();
    expect((await transcript(run))[0]).toBe('user: [\n  1\n]');
  });

  test('hears what was said before it where it is a member', async () => {
    const { agent: first } = stage.actor(['about tea'], { name: 'first' });
    const { agent: inner, calls } = stage.actor(['a letter'], { name: 'inner' });
    const member = { name: 'desk', pattern: 'sequential' as const, agents: [inner], input: { schema: topic, transform: 'spell' } };

    const run = await stage.world.client.start('sequential', { agents: [first, member], task: 'Write.' } as RunInput<'sequential'>);

    expect((await run.result()).output).toBe('a letter');
    expect(calls[0]?.heard('first', 'about tea')).toBe(true);
  });
});

describe('a task of any JSON starts every pattern', () => {
  const task = { topic: 'tea' };
  const input = { transform: 'spell' };

  test.each<[string, string[], (names: string[]) => object]>([
    ['concurrent', ['fine'], () => ({})],
    ['routing', ['fine'], () => ({ classifier: { function: 'route' }, routes: { a: 'actor' } })],
    ['handoff', ['fine'], () => ({})],
    ['groupChat', ['fine'], () => ({ maxRounds: 1 })],
    ['session', ['fine'], () => ({})],
  ])('%s', async (pattern, words, optionsOf) => {
    const route = defineFunction({ name: 'route', run: () => 'a' });
    await using own = await openStage({ environment, functions: [...functions, route] });
    const { agent, calls } = own.actor(words);

    const run = await own.world.client.start(pattern, { agents: [agent], task, input, options: optionsOf([agent.name]) } as RunInput);
    if (pattern === 'session') {
      await own.world.model.called(1);
      await run.cancel();
    }
    await run.result();

    expect(calls[0]?.messages.slice(1)).toMatchObject([{ role: 'user', content: 'Write about tea.' }]);
  });
});
