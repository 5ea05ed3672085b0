import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineFunction, defineTool, textOf } from '../../src/index.js';
import { openWorld, type ScriptedCall } from '../support/world.js';
import { timeSkippingServer } from '../support/servers.js';
import { z } from 'zod';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const analyst = defineAgent({ name: 'analyst', instructions: 'Find the facts.', model: 'analyst' });
const writer = defineAgent({ name: 'writer', instructions: 'Write.', model: 'writer' });
const editor = defineAgent({ name: 'editor', instructions: 'Shorten.', model: 'editor' });
const team = [analyst, writer, editor];

describe('sequential', () => {
  test('agents speak in order, and the last reply is the output', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });

    const run = await world.client.start('sequential', { agents: ['analyst', 'writer', 'editor'], task: 'tea' });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', output: 'the text', stopReason: { code: 'completed' }, rounds: 3 });
    expect(world.model.calls.map(({ model }) => model)).toEqual(['analyst', 'writer', 'editor']);
    expect(result.usage.modelCalls).toBe(3);
  });

  test('each agent hears everything said before it, marked with who said it', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });

    await (await world.client.start('sequential', { agents: ['analyst', 'writer', 'editor'], task: 'tea' })).result();

    const [first, , third] = world.model.calls;
    expect(first?.messages.map(({ role }) => role)).toEqual(['system', 'user']);
    expect(JSON.stringify(third?.messages)).toContain('tea');
    expect(JSON.stringify(third?.messages)).toContain('[analyst]\\nthree facts');
    expect(JSON.stringify(third?.messages)).toContain('[writer]\\na draft');
    expect(third?.messages.at(0)).toMatchObject({ role: 'system', content: 'Shorten.' });
  });

  test('what an agent does with its tools is its own business', async () => {
    const search = defineTool({
      name: 'search',
      description: 'Searches.',
      input: z.object({ query: z.string() }),
      run: ({ query }) => `found ${query}`,
    });
    const researcher = defineAgent({ name: 'researcher', instructions: 'Search.', model: 'researcher', tools: [search] });
    await using world = await openWorld({
      environment,
      agents: [researcher, writer],
      script: [{ text: 'let me look', calls: [{ name: 'search', arguments: { query: 'tea' } }] }, 'tea is a plant', 'a draft'],
    });

    const run = await world.client.start('sequential', { agents: ['researcher', 'writer'], task: 'tea' });
    await run.result();

    expect(JSON.stringify(world.model.calls[1]?.messages)).toContain('found tea');
    const heardByWriter = JSON.stringify(world.model.calls[2]?.messages);
    expect(heardByWriter).toContain('tea is a plant');
    expect(heardByWriter).not.toContain('found tea');
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['tea', 'let me look', '', 'tea is a plant', 'a draft']);
  });

  test('agents may come inline, as plain JSON', async () => {
    await using world = await openWorld({ environment, script: ['one', 'two'] });

    const run = await world.client.start('sequential', {
      agents: [
        { name: 'a', instructions: 'Speak.', model: 'a' },
        { name: 'b', instructions: 'Speak too.', model: 'b' },
      ],
      task: [{ role: 'user', contents: [{ $type: 'text', text: 'go' }] }],
    });

    expect((await run.result()).output).toBe('two');
  });

  test('the limit of turns is an outcome, with what was said so far', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });

    const run = await world.client.start('sequential', {
      agents: ['analyst', 'writer', 'editor'],
      task: 'tea',
      limits: { turns: 2 },
    });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' }, output: 'a draft', rounds: 2 });
    expect(await run.transcript()).toHaveLength(3);
  });

  test('the limit of tokens is checked before each model call', async () => {
    const usage = { inputTokens: 60, outputTokens: 50 };
    await using world = await openWorld({
      environment,
      agents: team,
      script: [
        { text: 'three facts', usage },
        { text: 'a draft', usage },
        { text: 'the text', usage },
      ],
    });

    const run = await world.client.start('sequential', {
      agents: ['analyst', 'writer', 'editor'],
      task: 'tea',
      limits: { tokens: 200 },
    });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' }, output: 'a draft' });
    expect(world.model.calls).toHaveLength(2);
  });

  test('a run goes on with the conversation of an earlier one', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'shorter'] });
    const first = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await first.result();

    const second = await world.client.start('sequential', { agents: ['editor'], task: 'make it short', conversation: first.id });

    expect((await second.result()).output).toBe('shorter');
    const heard = JSON.stringify(world.model.calls[2]?.messages);
    for (const words of ['tea', 'three facts', 'a draft', 'make it short']) expect(heard).toContain(words);
    expect(await second.transcript()).toHaveLength(5);
  });
});

/** What a model was told besides its instructions. */
const heardIn = (call: ScriptedCall | undefined) => call?.messages.slice(1).map(({ content }) => content);
const three = { agents: ['analyst', 'writer', 'editor'], task: 'tea' };

describe('what an agent hears', () => {
  const upper = defineFunction<{ text: string; agent: string }>({
    name: 'upper',
    run: ({ text, agent }) => `For ${agent}: ${text.toUpperCase()}`,
  });

  test('with contextMode lastReply is the reply before its turn and nothing else; the first hears the task', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });

    const run = await world.client.start('sequential', { ...three, options: { contextMode: 'lastReply' } });

    expect((await run.result()).output).toBe('the text');
    expect(world.model.calls.map(heardIn)).toEqual([['tea'], ['[analyst]\nthree facts'], ['[writer]\na draft']]);
  });

  test('with contextMode lastReply is nothing of how the reply came about, and all of its own turn', async () => {
    const search = defineTool({ name: 'search', description: 'Searches.', input: z.object({}), run: () => 'found it' });
    const able = team.map(({ name }) => defineAgent({ name, instructions: 'Work.', model: name, tools: ['search'] }));
    const searching = { calls: [{ name: 'search', arguments: {} }] };
    await using world = await openWorld({
      environment,
      agents: able,
      tools: [search],
      script: { analyst: [searching, 'three facts'], writer: [searching, 'a draft'], editor: ['the text'] },
    });

    const run = await world.client.start('sequential', { ...three, options: { contextMode: 'lastReply' } });
    await run.result();

    expect(heardIn(world.model.calls[3])).toEqual(['[analyst]\nthree facts', '', 'found it']);
    expect(heardIn(world.model.calls[4])).toEqual(['[writer]\na draft']);
  });

  test('with contextMode lastReply is nothing of an earlier run either', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });
    const first = await world.client.start('sequential', { agents: ['analyst'], task: 'tea' });
    await first.result();

    const second = await world.client.start('sequential', {
      agents: ['writer', 'editor'],
      task: 'go on',
      conversation: first.id,
      options: { contextMode: 'lastReply' },
    });
    await second.result();

    expect(heardIn(world.model.calls[1])).toEqual(['tea', '[analyst]\nthree facts', 'go on']);
    expect(heardIn(world.model.calls[2])).toEqual(['[writer]\na draft']);
  });

  test.each(['full', 'lastReply'] as const)(
    'with a transform is what the function returns, with contextMode %s too',
    async (contextMode) => {
      await using world = await openWorld({
        environment,
        agents: team,
        functions: [upper],
        script: ['three facts', 'a draft', 'the text'],
      });

      const run = await world.client.start('sequential', { ...three, options: { contextMode, transforms: { writer: 'upper' } } });

      expect(await run.result()).toMatchObject({ output: 'the text', rounds: 3 });
      expect(heardIn(world.model.calls[1])).toEqual(['For writer: THREE FACTS']);
      expect(heardIn(world.model.calls[2])).toEqual(
        contextMode === 'full' ? ['tea', '[analyst]\nthree facts', '[writer]\na draft'] : ['[writer]\na draft'],
      );
      expect((await run.transcript()).map(({ message, audience }) => [textOf(message), audience])).toEqual([
        ['tea', undefined],
        ['three facts', undefined],
        ['For writer: THREE FACTS', ['writer']],
        ['a draft', undefined],
        ['the text', undefined],
      ]);
    },
  );

  test('with a transform may be several messages, of any author', async () => {
    const split = defineFunction<{ text: string }>({
      name: 'split',
      run: ({ text }) => text.split(' ').map((word) => ({ role: 'user', authorName: 'parser', contents: [{ $type: 'text', text: word }] })),
    });
    await using world = await openWorld({ environment, agents: team, functions: [split], script: ['three facts', 'a draft'] });

    const run = await world.client.start('sequential', {
      agents: ['analyst', 'writer'],
      task: 'tea',
      options: { transforms: { writer: split.name } },
    });
    await run.result();

    expect(heardIn(world.model.calls[1])).toEqual(['[parser]\nthree', '[parser]\nfacts']);
  });

  test('is not said: a transform meets no condition', async () => {
    await using world = await openWorld({ environment, agents: team, functions: [upper], script: ['three facts', 'a draft', 'the text'] });

    const run = await world.client.start('sequential', {
      ...three,
      options: { transforms: { writer: 'upper' } },
      termination: {
        type: 'or',
        conditions: [
          { type: 'textMention', text: 'FACTS' },
          { type: 'maxMessages', max: 4 },
        ],
      },
    });

    expect(await run.result()).toMatchObject({
      stopReason: { code: 'condition', conditions: [{ path: 'conditions[1]', type: 'maxMessages', turn: 4 }] },
      output: 'the text',
      rounds: 3,
    });
  });

  test.each([
    [
      'that throws',
      () => {
        throw new Error('no such word');
      },
      'no such word',
    ],
    ['that returns nothing', () => undefined, 'nothing was returned'],
    ['that returns no message', () => ({ text: 'three' }), 'role'],
    ['that returns an empty text', () => ' ', 'empty'],
  ])('by a transform %s fails the run, and what was said stays readable', async (_, body, reason) => {
    const broken = defineFunction({ name: 'broken', run: body });
    await using world = await openWorld({ environment, agents: team, functions: [broken], script: ['three facts'] });

    const run = await world.client.start('sequential', { ...three, options: { transforms: { writer: 'broken' } } });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringMatching(new RegExp(`broken.*${reason}`)) as string,
    });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['tea', 'three facts']);
    expect(world.model.calls).toHaveLength(1);
  });

  test.each([
    ['for a stranger', { transforms: { stranger: 'upper' } }, 'options.transforms.stranger'],
    ['for the first agent, before whom nobody speaks', { transforms: { analyst: 'upper' } }, 'options.transforms.analyst'],
    ['that nobody registered', { transforms: { writer: 'lower' } }, 'options.transforms.writer'],
  ])('cannot come from a transform %s', async (_, options, problem) => {
    await using world = await openWorld({ environment, agents: team, functions: [upper] });

    const running = world.client.start('sequential', { ...three, options: options as never }).then((run) => run.result());

    await expect(running).rejects.toMatchObject({ message: expect.stringContaining(problem) as string });
    expect(world.model.calls).toHaveLength(0);
  });
});

describe('termination of a sequential run', () => {
  test.each([
    ['a message says so', { type: 'textMention', text: 'draft' }, 'a draft', 2],
    ['so many messages were said, the task among them', { type: 'maxMessages', max: 2 }, 'three facts', 1],
    ['an agent has spoken', { type: 'source', sources: ['writer'] as string[] }, 'a draft', 2],
    ['so many turns were taken', { type: 'maxTurns', max: 1 }, 'three facts', 1],
  ] as const)('starts nobody after %s', async (_, termination, output, rounds) => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'] });

    const run = await world.client.start('sequential', { ...three, termination });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output, rounds });
    expect(world.model.calls).toHaveLength(rounds);
  });

  test('by the task itself leaves nothing to say: a user is never the output', async () => {
    await using world = await openWorld({ environment, agents: team });

    const run = await world.client.start('sequential', { ...three, termination: { type: 'textMention', text: 'tea', includeTask: true } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: null, rounds: 0 });
  });
});

describe('a sequential run that continues as new after every few events', () => {
  test('says and hears the same, and repeats no model call', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', 'a draft', 'the text'], historyEvents: 5 });

    const run = await world.client.start('sequential', { agents: ['analyst', 'writer', 'editor'], task: 'tea' });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', output: 'the text', rounds: 3 });
    expect(world.model.calls).toHaveLength(3);
    expect(JSON.stringify(world.model.calls[2]?.messages)).toContain('three facts');
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(2);
  });

  test('calls each transform once, and asks no model twice', async () => {
    const keys: string[] = [];
    const note = defineFunction<{ text: string }>({
      name: 'note',
      run: ({ text }, { idempotencyKey }) => {
        keys.push(idempotencyKey);
        return `${keys.length}: ${text}`;
      },
    });
    await using world = await openWorld({
      environment,
      agents: team,
      functions: [note],
      script: ['three facts', 'a draft', 'the text'],
      historyEvents: 5,
    });

    const run = await world.client.start('sequential', { ...three, options: { transforms: { writer: 'note', editor: 'note' } } });

    expect(await run.result()).toMatchObject({ output: 'the text', rounds: 3, usage: { modelCalls: 3 } });
    expect(world.model.calls.map(heardIn)).toEqual([['tea'], ['1: three facts'], ['2: a draft']]);
    expect(new Set(keys).size).toBe(2);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(2);
  });
});

describe('a sequential run that fails', () => {
  test('ends with the typed failure of the model, and leaves the transcript readable', async () => {
    await using world = await openWorld({
      environment,
      agents: team,
      script: ['three facts', { status: 401, body: { error: { message: 'bad key' } } }],
    });

    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['tea', 'three facts']);
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Model.Refused' } });
  });

  test('when an agent says nothing, twice', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', '', ''] });

    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Empty' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['tea', 'three facts']);
  });

  test.each([
    ['no agents', { task: 'tea' }, 'agents'],
    ['a name nobody registered', { task: 'tea', agents: ['stranger'] }, 'stranger'],
    ['the same name twice', { task: 'tea', agents: ['writer', 'writer'] }, 'agents[1]'],
    ['an empty task', { task: '', agents: ['writer'] }, 'task'],
    ['a limit of zero', { task: 'tea', agents: ['writer'], limits: { turns: 0 } }, 'limits.turns'],
    ['an unknown member', { task: 'tea', agents: ['writer'], agentz: [] }, 'agentz'],
    ['a list instead of a document', ['tea'], 'JSON document'],
    ['nothing at all', undefined, 'JSON document'],
    ['state that is not ours', { state: { stateVersion: 1 } }, 'state.conversationId'],
    ['state without a version', { state: 'x' }, 'state'],
  ])('at once when started directly with %s', async (_, input, problem) => {
    await using world = await openWorld({ environment, agents: team });

    const running = environment.client.workflow.execute('sequential', {
      workflowId: `bad-${Math.random()}`,
      taskQueue: world.taskQueue,
      args: input === undefined ? [] : [input],
    });

    const failure = await running.catch((error: unknown) => error as { cause: { type: string; message: string; nonRetryable: boolean } });
    expect(failure).toMatchObject({ cause: { nonRetryable: true } });
    expect((failure as { cause: { type: string } }).cause.type).toMatch(/^(Input\.Invalid|Input\.UnknownAgent|State\.Unreadable)$/);
    expect((failure as { cause: { message: string } }).cause.message).toContain(problem);
    expect(world.model.calls).toHaveLength(0);
  });

  test('with every problem of the document in one message', async () => {
    await using world = await openWorld({ environment, agents: team });

    const starting = world.client.start('sequential', {
      agents: [{ name: '1bad', instructions: 'x' }, 'writer', 'writer'],
      limits: { turns: -1 },
    });

    await expect(starting).rejects.toMatchObject({ type: 'Input.Invalid' });
    const { message } = (await starting.catch((error: unknown) => error)) as Error;
    for (const place of ['agents[0].name', 'agents[2]', 'limits.turns', 'task']) expect(message).toContain(place);
  });
});

describe('cancelling a sequential run', () => {
  test('gracefully keeps the turn in flight and starts nothing after it', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await using world = await openWorld({ environment, agents: team, script: [async () => (await released, 'three facts'), 'a draft'] });
    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await world.model.called(1);

    expect(await run.cancel({ reason: 'enough' })).toEqual({ status: 'cancelling' });
    release();

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      output: 'three facts',
      stopReason: { code: 'cancelled', message: 'enough' },
    });
    expect(world.model.calls).toHaveLength(1);
  });

  test('gracefully lets a turn finish that continues as new meanwhile', async () => {
    let open = (): void => undefined;
    const opened = new Promise<void>((resolve) => (open = resolve));
    const search = defineTool({ name: 'search', description: 'Searches.', input: z.object({}), run: () => 'found it' });
    const searching = { calls: [{ name: 'search', arguments: {} }] };
    await using world = await openWorld({
      environment,
      agents: [defineAgent({ name: 'searcher', instructions: 'Search.', tools: [search] }), writer],
      historyEvents: 14,
      script: [() => opened.then(() => searching), searching, 'three facts'],
    });
    const run = await world.client.start('sequential', { agents: ['searcher', 'writer'], task: 'tea' });
    await world.model.called(1);

    await run.cancel();
    open();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'three facts', rounds: 1, usage: { modelCalls: 3 } });
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    world.model.assertComplete();
  });

  test('before anybody has spoken leaves no output', async () => {
    await using world = await openWorld({ environment, agents: team });
    await world.worker.stop();
    const run = await world.client.start('sequential', three);
    await environment.client.workflow.getHandle(run.id).signal('cancel', {});

    await world.startWorker();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null, rounds: 0 });
    expect(world.model.calls).toHaveLength(0);
  });

  test('immediately aborts the model call', async () => {
    await using world = await openWorld({ environment, agents: team, script: [{ hang: true }, 'a draft'] });
    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await world.model.called(1);

    await run.cancel({ mode: 'immediate' });
    await world.model.aborted(1);

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null });
  });

  test("through Temporal closes it as cancelled, with the same result for the client's caller", async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts', { hang: true }] });
    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await world.model.called(2);

    await environment.client.workflow.getHandle(run.id).cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'three facts' });
    expect((await environment.client.workflow.getHandle(run.id).describe()).status.name).toBe('CANCELLED');
  });

  test('after the end only tells the status', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['three facts'] });
    const run = await world.client.start('sequential', { agents: ['analyst'], task: 'tea' });
    await run.result();

    expect(await run.cancel()).toEqual({ status: 'completed' });
  });

  test('the limit of time interrupts whatever the run is doing', async () => {
    await using world = await openWorld({ environment, agents: team, script: [{ hang: true }] });

    const run = await world.client.start('sequential', { agents: ['analyst'], task: 'tea', limits: { time: '3 seconds' } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.time' } });
  });
});
