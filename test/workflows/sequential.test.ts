import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineTool, textOf } from '../../src/index.js';
import { openWorld } from '../../src/testing/index.js';
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
  const slow = { delayMs: 400 };

  test('gracefully keeps the turn in flight and starts nothing after it', async () => {
    await using world = await openWorld({ environment, agents: team, script: [{ text: 'three facts', ...slow }, 'a draft'] });
    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await world.model.called(1);

    expect(await run.cancel({ reason: 'enough' })).toEqual({ status: 'cancelling' });

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      output: 'three facts',
      stopReason: { code: 'cancelled', message: 'enough' },
    });
    expect(world.model.calls).toHaveLength(1);
  });

  test('immediately aborts the model call', async () => {
    await using world = await openWorld({ environment, agents: team, script: [{ hang: true }, 'a draft'] });
    const run = await world.client.start('sequential', { agents: ['analyst', 'writer'], task: 'tea' });
    await world.model.called(1);

    const began = Date.now();
    await run.cancel({ mode: 'immediate' });
    await world.model.aborted(1);

    expect(Date.now() - began).toBeLessThan(2000);
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
