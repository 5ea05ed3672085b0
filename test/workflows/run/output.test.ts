import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import {
  defineFunction,
  textOf,
  type AgentDefinition,
  type FunctionContext,
  type Json,
  type OutputShape,
  type RunInput,
} from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { ScriptPart } from '../../../src/testing/scripted-model.js';
import { openWorld } from '../../support/world.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const given: { [name: string]: unknown[] } = {};
const keys: string[] = [];
const transforms: { [name: string]: (input: never, context: FunctionContext) => unknown } = {
  sum: ({ prices }: { prices: number[] }) => ({ total: prices.reduce((a, b) => a + b, 0) }),
  shout: (text: string) => text.toUpperCase(),
  nothing: () => undefined,
  throws: () => {
    throw new Error('no abacus');
  },
  huge: () => 'x'.repeat(1_500_000),
  circle: () => {
    const value: { self?: unknown } = {};
    return Object.assign(value, { self: value });
  },
  length: (text: string) => text.length,
  said: async (_: unknown, { messages }: FunctionContext) => (await messages()).map(textOf),
  forgets: (_: unknown, { idempotencyKey }: FunctionContext) => keys.push(idempotencyKey),
};
const functions = Object.entries(transforms).map(([name, run]) =>
  defineFunction({
    name,
    run: (input: never, context) => {
      (given[name] ??= []).push(input);
      return run(input, context);
    },
  }),
);

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, functions });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const prices: OutputShape['schema'] = {
  type: 'object',
  properties: { prices: { type: 'array', items: { type: 'number' } }, currency: { enum: ['EUR', 'GBP'] } },
  required: ['prices'],
};

/** One agent says these words; the output has to be like that. */
async function play(words: ScriptPart, output: object, more: object = {}) {
  const { agent } = stage.actor(words);
  return await stage.world.client.start('sequential', {
    agents: [agent],
    task: 'What does it cost?',
    output,
    ...more,
  } as RunInput<'sequential'>);
}

async function transcript(run: RunHandle<unknown>): Promise<string[]> {
  return (await run.transcript()).map(({ message }) => `${message.authorName ?? message.role}: ${textOf(message)}`);
}

type Failure = Error & { type: string; details?: unknown[] };
const failureOf = async (run: RunHandle<unknown>) => (await run.result().catch((error: unknown) => error)) as Failure;

describe('an output by schema is read from the last reply', () => {
  test.each<[string, string, Json]>([
    ['that is JSON', '{"prices": [4]}', { prices: [4] }],
    ['with words around it', 'Gladly! {"prices": [4]} Anything else?', { prices: [4] }],
    ['in a fence', 'Here it is:\n```json\n{\n  "prices": [4, 2]\n}\n```\nHope it helps.', { prices: [4, 2] }],
    ['the last one of several', 'At first {"prices": [1]}, but now\n{"prices": [2]}', { prices: [2] }],
    ['with more than was asked for', '{"prices": [4], "tip": true}', { prices: [4], tip: true }],
  ])('%s', async (_, words, output) => {
    expect(await (await play([words], { schema: prices })).result()).toMatchObject({ status: 'completed', output });
  });

  test.each<[string, string, object, Json]>([
    ['a list', 'Two: ["a", "b"]', { type: 'array', items: { type: 'string' } }, ['a', 'b']],
    ['a number', '42', { type: 'number' }, 42],
    ['a text in quotes', '"spam"', { enum: ['spam', 'ham'] }, 'spam'],
    ['a text without', 'spam', { enum: ['spam', 'ham'] }, 'spam'],
    ['a text that holds JSON', 'Write {"a": 1} into the file.', { type: 'string' }, 'Write {"a": 1} into the file.'],
    ['a text that is a number', '42', { type: 'string' }, '42'],
    ['null', 'null', { type: ['object', 'null'] }, null],
    ['either', '{"a": 1}', { anyOf: [{ type: 'string' }, { type: 'object' }] }, { a: 1 }],
  ])('which may be %s', async (_, words, schema, output) => {
    expect((await (await play([words], { schema })).result()).output).toEqual(output);
  });

  test('and is the same in the status as in the event of the end', async () => {
    const run = await play(['{"prices": [4]}'], { schema: prices });
    await run.result();

    expect((await run.status()).result?.output).toEqual({ prices: [4] });
    const ends = [];
    for await (const event of run.watch()) if (event.type === 'run.finished') ends.push(event.result.output);
    expect(ends).toEqual([{ prices: [4] }]);
    // What was said stays as it was said.
    expect(await transcript(run)).toEqual(['user: What does it cost?', 'actor: {"prices": [4]}']);
  });

  test.each<[string, string, RegExp, number]>([
    ['without JSON', 'Four euros.', /form that was asked for: the last reply holds no JSON\.$/, 0],
    ['with JSON of another form', '{"price": 4}', /: prices is missing/, 1],
    ['with several things wrong', '{"prices": ["four", 2, null], "currency": "USD"}', /prices\[0\].*; prices\[2\].*; currency must be/, 3],
    ['with a list of it', '[{"prices": [4]}]', /: it must be an object, not a list of 1/, 1],
  ])('%s fails the run, and every problem is listed', async (_, words, message, count) => {
    const run = await play([words], { schema: prices });

    const failure = await failureOf(run);

    expect(failure).toMatchObject({ type: 'Output.Invalid', message: expect.stringMatching(message) as string });
    expect(failure.details?.[0] ?? []).toHaveLength(count);
    expect(failure.message).not.toContain('Four euros');
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Output.Invalid' } });
    expect(await transcript(run)).toEqual(['user: What does it cost?', `actor: ${words}`]);
  });

  test('that is longer than a run remembers is refused with that reason', async () => {
    const run = await play([`{"prices": [4], "text": "${'x'.repeat(70_000)}"}`], { schema: prices });

    expect(await failureOf(run)).toMatchObject({
      type: 'Output.Invalid',
      message: expect.stringContaining('too long to be read') as string,
    });
  });
});

describe('an output with `from: "conversation"`', () => {
  const asked = (editor: ScriptPart, more: object = {}) => {
    const { agent, calls } = stage.actor(editor, { name: 'editor', instructions: 'Extract.' });
    return { calls, shape: { schema: prices, from: 'conversation', agent, ...more } };
  };

  test('is asked of an agent that hears everything, and is no part of what was said', async () => {
    const { calls, shape } = asked(['{"prices": [4]}']);
    const run = await play(['Four euros.'], shape);

    expect(await run.result()).toMatchObject({ status: 'completed', output: { prices: [4] }, rounds: 1, usage: { modelCalls: 2 } });

    expect(calls[0]?.instructions).toBe('Extract.');
    expect(calls[0]?.heard('actor', 'Four euros.')).toBe(true);
    expect(calls[0]?.heard('user', 'What does it cost?')).toBe(true);
    expect(calls[0]?.outputSchema).toEqual(prices);
    expect(await transcript(run)).toEqual(['user: What does it cost?', 'actor: Four euros.']);
    expect((await run.status()).agents).toEqual(['actor']);
  });

  test('is asked of the default model when nobody is named', async () => {
    await using world = await openWorld({ environment, script: { actor: ['Four euros.'], scripted: ['{"prices": [4]}'] } });

    const run = await world.client.start('sequential', {
      agents: [{ name: 'actor', instructions: 'Act.', model: 'actor' }],
      task: 'go',
      output: { schema: prices, from: 'conversation' },
    });

    expect((await run.result()).output).toEqual({ prices: [4] });
  });

  test('that does not fit is asked for again, with what is wrong', async () => {
    const { calls, shape } = asked(['Gladly.', '{"prices": "four"}', '{"prices": [4]}']);
    const run = await play(['Four euros.'], shape);

    expect((await run.result()).output).toEqual({ prices: [4] });
    expect(calls[2]?.messages.at(-1)?.content).toContain('prices must be a list, not "four"');
    const refused = [];
    for await (const event of run.watch()) if (event.type === 'decision.refused') refused.push(event.by);
    expect(refused).toEqual(['editor', 'editor']);
  });

  test('that never fits fails the run after three answers', async () => {
    const { calls, shape } = asked(['Gladly.', '[]', '{"prices": "four"}', '{"prices": [4]}']);
    const run = await play(['Four euros.'], shape);

    expect(await failureOf(run)).toMatchObject({
      type: 'Output.Invalid',
      message: expect.stringMatching(/editor gave none that fits: prices must be a list/) as string,
    });
    expect(calls).toHaveLength(3);
    expect(await transcript(run)).toEqual(['user: What does it cost?', 'actor: Four euros.']);
  });

  test('of an agent whose model refuses fails with that failure', async () => {
    const { shape } = asked([{ status: 401 }]);
    const run = await play(['Four euros.'], shape);

    expect(await failureOf(run)).toMatchObject({ type: 'Model.Refused' });
    expect(await run.transcript()).toHaveLength(2);
  });

  test('keeps to the limits, and what there is then is the output', async () => {
    const { calls, shape } = asked(['{"prices": [4]}']);
    const run = await play([{ text: 'Four euros.', usage: { inputTokens: 60, outputTokens: 50 } }], shape, { limits: { tokens: 100 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' }, output: 'Four euros.' });
    expect(calls).toHaveLength(0);
  });

  test('can be cancelled while it is asked for', async () => {
    const { calls, shape } = asked([{ hang: true }]);
    const run = await play(['Four euros.'], shape);
    while (calls.length === 0) await environment.sleep(50);

    await run.cancel({ mode: 'immediate' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'Four euros.' });
  });

  test('may be of any form', async () => {
    const { calls, shape } = asked(['["a"]'], { schema: { type: 'array' } });

    expect((await (await play(['A.'], shape)).result()).output).toEqual(['a']);
    expect(calls[0]?.messages.at(-1)?.content).toContain(
      'Answer with JSON and nothing else. It has to fit this JSON schema:\n{"type":"array"}',
    );
  });

  test('needs a schema', async () => {
    const starting = play(['A.'], { from: 'conversation' });

    await expect(starting).rejects.toMatchObject({
      type: 'Input.Invalid',
      message: expect.stringContaining('output.schema: is missing') as string,
    });
  });
});

describe('an output with a transform', () => {
  test('is what the function makes of the last reply', async () => {
    expect((await (await play(['four euros'], { transform: 'shout' })).result()).output).toBe('FOUR EUROS');
  });

  test('is what the function makes of what fits the schema', async () => {
    expect((await (await play(['So: {"prices": [4, 2]}'], { schema: prices, transform: 'sum' })).result()).output).toEqual({ total: 6 });
  });

  test('is given a long reply whole', async () => {
    const words = 'word '.repeat(20_000).trim();
    expect((await (await play([words], { transform: 'length' })).result()).output).toBe(words.length);
  });

  test('may read the conversation', async () => {
    expect((await (await play(['Four.'], { transform: 'said' })).result()).output).toEqual(['What does it cost?', 'Four.']);
  });

  test('that makes nothing of it is null, and not the last reply', async () => {
    expect(await (await play(['Four.'], { transform: 'nothing' })).result()).toMatchObject({ status: 'completed', output: null });
  });

  test.each([
    ['throws', /no abacus/],
    ['huge', /larger than 1024 KiB/],
    ['circle', /circular/],
  ])('that %s fails the run, and what was said can be read', async (transform, message) => {
    const run = await play(['Four.'], { transform });

    expect(await failureOf(run)).toMatchObject({ type: 'Function.Failed', message: expect.stringMatching(message) as string });
    expect(given[transform]).toHaveLength(1);
    expect(await transcript(run)).toEqual(['user: What does it cost?', 'actor: Four.']);
    expect(await run.status()).toMatchObject({ status: 'failed', rounds: 1 });
  });

  test('is not called for what does not fit the schema', async () => {
    given.sum = [];
    const run = await play(['Four.'], { schema: prices, transform: 'sum' });

    expect(await failureOf(run)).toMatchObject({ type: 'Output.Invalid' });
    expect(given.sum).toEqual([]);
  });

  test('that nobody knows ends the run before anybody has spoken', async () => {
    const run = await play(['Four.'], { transform: 'shuot' });

    expect(await failureOf(run)).toMatchObject({
      type: 'Input.UnknownAgent',
      message: expect.stringContaining('output.transform: no function is called "shuot" here; did you mean "shout"?') as string,
    });
    expect(await run.transcript()).toEqual([]);
  });

  test('is not called for a run that was ended by a limit', async () => {
    given.shout = [];
    const [one, two] = [stage.actor(['one'], { name: 'one' }), stage.actor(['two'], { name: 'two' })];
    const run = await stage.world.client.start('sequential', {
      agents: [one.agent, two.agent],
      task: 'go',
      limits: { turns: 1 },
      output: { transform: 'shout' },
    });

    expect(await run.result()).toMatchObject({ status: 'stopped', output: 'one' });
    expect(given.shout).toEqual([]);
  });

  test('is called once, with a key of its own run', async () => {
    const runs = await Promise.all([play(['a'], { transform: 'forgets' }), play(['b'], { transform: 'forgets' })]);
    for (const run of runs) await run.result();

    expect(keys).toHaveLength(2);
    expect(new Set(keys).size).toBe(2);
  });
});

describe('an output has its form in every pattern', () => {
  const total = (words: string[]) => words.map((text) => `{"said": "${text}"}`);
  const schema: OutputShape['schema'] = { type: 'object', properties: { said: { type: 'string' } }, required: ['said'] };
  type Roles = { [name: string]: AgentDefinition };
  const ledger = (done: boolean) => {
    const entry = (answer: string | boolean) => ({ reason: 'r', answer });
    const [is_request_satisfied, is_in_loop, is_progress_being_made] = [entry(done), entry(false), entry(true)];
    return JSON.stringify({
      is_request_satisfied,
      is_in_loop,
      is_progress_being_made,
      next_speaker: entry('a'),
      instruction_or_question: entry('go on'),
    });
  };
  /** Pattern, who says what, who has the last word. */
  const scenes: [string, { [name: string]: string[] }, string, (roles: Roles) => object][] = [
    ['sequential', { a: ['hm'], b: total(['b']) }, 'b', ({ a, b }) => ({ agents: [a, b] })],
    [
      'routing',
      { a: total(['a']), boss: ['{"label": "x"}'] },
      'a',
      ({ a, boss }) => ({ agents: [a], options: { classifier: { agent: boss }, routes: { x: 'a' } } }),
    ],
    ['handoff', { a: total(['a']), b: [] }, 'a', ({ a, b }) => ({ agents: [a, b] })],
    ['groupChat', { a: ['hm'], b: total(['b']) }, 'b', ({ a, b }) => ({ agents: [a, b], termination: { type: 'maxTurns', max: 2 } })],
    [
      'magentic',
      { a: ['hm'], boss: ['{"text": "facts"}', '{"text": "plan"}', ledger(false), ledger(true), ...total(['boss'])] },
      'boss',
      ({ a, boss }) => ({ agents: [a], options: { manager: { agent: boss } } }),
    ],
  ];

  const castOf = (on: Stage, lines: { [name: string]: string[] }): Roles =>
    Object.fromEntries(Object.entries(lines).map(([name, words]) => [name, on.actor(words, { name }).agent]));

  test.each(scenes)('%s: read from the last reply', async (pattern, lines, said, inputOf) => {
    const run = await stage.world.client.start(pattern, { ...inputOf(castOf(stage, lines)), task: 'go', output: { schema } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: { said } });
  });

  test('concurrent: of the aggregate', async () => {
    const roles = castOf(stage, { a: ['yes'], b: ['yes'], boss: total(['both']) });

    const agents = [roles.a, roles.b];
    const options = { aggregator: { agent: roles.boss } };
    const run = await stage.world.client.start('concurrent', { agents, options, task: 'go', output: { schema } } as RunInput<'concurrent'>);
    expect((await run.result()).output).toEqual({ said: 'both' });
  });

  test('concurrent: of the list of results, by a function', async () => {
    const roles = castOf(stage, { a: ['yes'], b: ['no'] });

    const run = await stage.world.client.start('concurrent', {
      agents: [roles.a, roles.b],
      task: 'go',
      output: { transform: 'nothing' },
    } as RunInput<'concurrent'>);

    expect((await run.result()).output).toBe(null);
    expect(given.nothing?.at(-1)).toMatchObject([
      { member: 'a', output: 'yes' },
      { member: 'b', output: 'no' },
    ]);
  });

  describe('asked of a model while the run continues as new after every few events', () => {
    let restless: Stage;
    beforeAll(async () => {
      restless = await openStage({ environment, functions, historyEvents: 5 });
    });
    afterAll(async () => {
      await restless?.[Symbol.asyncDispose]();
    });

    test.each([
      ...scenes,
      ['concurrent', { a: ['yes'], b: ['yes'] }, '', ({ a, b }: Roles) => ({ agents: [a, b] })] as (typeof scenes)[number],
    ])('%s: nobody is asked twice', async (pattern, lines, _, inputOf) => {
      const { agent: editor, calls } = restless.actor(['{"said": "all"}'], { name: 'editor' });

      const run = await restless.world.client.start(pattern, {
        ...inputOf(castOf(restless, lines)),
        task: 'go',
        output: { schema, from: 'conversation', agent: editor, transform: 'forgets' },
      });

      expect((await run.result()).output).toEqual(expect.any(Number));
      expect(calls).toHaveLength(1);
      expect((await run.status()).usage.modelCalls).toBe(1 + Object.values(lines).flat().length);
      expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    });
  });
});
