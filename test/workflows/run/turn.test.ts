import { setTimeout as sleep } from 'node:timers/promises';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { defineTool, textOf, type ToolContext } from '../../../src/index.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const contexts: (ToolContext & { step: string })[] = [];
let arrived = 0;
let everybodyIsHere: () => void;
const all = new Promise<void>((resolve) => (everybodyIsHere = resolve));

/** Returns only when three calls of it run at the same time. */
const meet = defineTool({
  name: 'meet',
  description: 'Meets.',
  input: z.object({ name: z.string(), lingersMs: z.number() }),
  run: async ({ name, lingersMs }) => {
    if (++arrived === 3) everybodyIsHere();
    await all;
    await sleep(lingersMs);
    return `${name} was there`;
  },
});
const count = defineTool({
  name: 'count',
  description: 'Counts.',
  input: z.object({ upTo: z.number() }),
  run: ({ upTo }, context) => {
    contexts.push({ ...context, step: context.idempotencyKey.split('/').slice(1).join('/') });
    return upTo;
  },
});
const odd = defineTool({
  name: 'odd',
  description: 'Returns what no model can be told.',
  input: z.object({ what: z.enum(['nothing', 'a cycle', 'a function', 'null']) }),
  run: ({ what }) => {
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    return { nothing: undefined, 'a cycle': cycle, 'a function': () => 1, null: null }[what];
  },
});
const fails = defineTool({
  name: 'fails',
  description: 'Fails.',
  input: z.object({}),
  run: () => {
    throw new Error('out of paper', { cause: new Error('tray 2 is empty') });
  },
});

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, tools: [meet, count, odd, fails] });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

async function play(...actor: Parameters<Stage['actor']>) {
  const { agent, calls } = stage.actor(...actor);
  const run = await stage.world.client.start('sequential', { agents: [agent], task: 'go' });
  return { run, calls };
}

describe('tool calls of one reply', () => {
  test('run side by side, and their results join the transcript in the order of the calls', async () => {
    const call = (name: string, lingersMs: number) => ({ name: 'meet', arguments: { name, lingersMs } });
    const { run, calls } = await play([{ calls: [call('Anna', 200), call('Ben', 100), call('Cleo', 0)] }, 'all met'], { tools: ['meet'] });

    expect((await run.result()).output).toBe('all met');
    const results = calls[1]?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
    expect(results).toEqual(['Anna was there', 'Ben was there', 'Cleo was there']);
    const said = (await run.transcript()).flatMap(({ message }) => message.contents);
    expect(said.flatMap((content) => (content.$type === 'functionResult' ? content.result : []))).toEqual(results);
    expect((await run.checkpoint()).completedSteps.sort()).toEqual(['1/1', '1/1/0', '1/1/1', '1/1/2', '1/2']);
  });

  test.each([
    ['the same id twice', ['same', 'same']],
    ['no id', ['', '']],
  ])('with %s keep their results apart', async (_, [first, second]) => {
    const { run, calls } = await play(
      [
        {
          calls: [
            { name: 'count', arguments: { upTo: 1 }, id: first },
            { name: 'count', arguments: { upTo: 2 }, id: second },
          ],
        },
        'done',
      ],
      { tools: ['count'] },
    );

    expect((await run.result()).output).toBe('done');
    const heard = calls[1]?.messages ?? [];
    const made = heard.flatMap((message) => message.calls ?? []);
    expect(new Set(made.map(({ id }) => id)).size).toBe(2);
    const answers = made.map(({ id }) => heard.find(({ callId }) => callId === id)?.content);
    expect(answers).toEqual(['1', '2']);
  });

  test('have an idempotency key each, and no two calls of a run share one', async () => {
    const first = contexts.length;
    const counting = { calls: [1, 2].map((upTo) => ({ name: 'count', arguments: { upTo } })) };
    const { run } = await play([counting, counting, 'done'], { tools: ['count'] });
    await run.result();

    const keys = contexts.slice(first).map(({ idempotencyKey }) => idempotencyKey);
    expect(new Set(keys).size).toBe(4);
    expect(contexts.slice(first).map(({ step }) => step)).toEqual(expect.arrayContaining(['1/1/0', '1/1/1', '1/2/0', '1/2/1']));
  });
});

describe('what goes wrong with a tool is told to the model, and the run goes on:', () => {
  test.each([
    ['a tool that does not exist', 'fly', {}, 'There is no tool "fly". You may use: count, odd, fails.'],
    ['a tool of somebody else', 'meet', {}, 'There is no tool "meet"'],
    ['arguments that are not JSON', 'count', '{"upTo": 3', 'are not a JSON object'],
    ['arguments that are a list', 'count', '[3]', 'are not a JSON object'],
    ['arguments that do not fit', 'count', { upTo: 'three' }, 'upTo: Invalid input: expected number, received string'],
    ['a tool that throws', 'fails', {}, 'The tool "fails" failed: out of paper: tray 2 is empty'],
    ['a result with a cycle', 'odd', { what: 'a cycle' }, 'cannot be shown: Converting circular structure'],
    ['a result that is a function', 'odd', { what: 'a function' }, 'cannot be shown'],
  ])('%s', async (_, name, given, told) => {
    const { run, calls } = await play([{ calls: [{ name, arguments: given }] }, 'I see'], { tools: ['count', 'odd', 'fails'] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'I see' });
    expect(calls[1]?.messages.at(-1)).toMatchObject({ role: 'tool', content: expect.stringContaining(told) as string });
    const [returned] = await eventsOf(run, 'tool.returned');
    expect(returned).toMatchObject({ tool: name, ok: false, step: '1/1/0' });
  });

  test.each([
    ['nothing', ''],
    ['null', 'null'],
  ])('%s is a result like any other', async (what, told) => {
    const { run, calls } = await play([{ calls: [{ name: 'odd', arguments: { what } }] }, 'I see'], { tools: ['odd'] });

    expect((await run.result()).output).toBe('I see');
    expect(calls[1]?.messages.at(-1)).toMatchObject({ role: 'tool', content: told });
    expect((await eventsOf(run, 'tool.returned'))[0]).toMatchObject({ ok: true });
  });

  test('a model is shown its broken arguments again as it wrote them', async () => {
    const { run, calls } = await play([{ calls: [{ name: 'count', arguments: '{"upTo": 3' }] }, 'I see'], { tools: ['count'] });
    await run.result();

    expect(calls[1]?.messages.flatMap((message) => message.calls ?? [])).toMatchObject([{ name: 'count', arguments: '{"upTo": 3' }]);
  });
});

describe('tool rounds', () => {
  const counting = { text: 'let me count', calls: [{ name: 'count', arguments: { upTo: 1 } }] };

  test('are bounded: after the last one the model must answer without tools', async () => {
    const { run, calls } = await play([counting, counting, 'it is one'], { tools: ['count'], maxToolRounds: 2 });

    expect((await run.result()).output).toBe('it is one');
    expect(calls.map(({ toolChoice }) => toolChoice)).toEqual([undefined, undefined, 'none']);
    // The tools are still shown: providers refuse a conversation with calls of tools that they were never told of.
    expect(calls.map(({ tools }) => tools.length)).toEqual([1, 1, 1]);
  });

  test('a model that calls even then has its words taken as the answer, heard by everybody', async () => {
    const first = stage.actor([counting, counting], { name: 'first', tools: ['count'], maxToolRounds: 1 });
    const second = stage.actor(['so I heard'], { name: 'second' });
    const run = await stage.world.client.start('sequential', { agents: [first.agent, second.agent], task: 'go' });

    expect((await run.result()).output).toBe('so I heard');
    expect(second.calls[0]?.heard('first', 'let me count')).toBe(true);
    const document = await run.agentState('first');
    expect(document.data.conversationHistory.map(({ $type }) => $type)).toEqual(['request', 'response']);
  });

  test('a model that even then only calls fails the turn, and says what to change', async () => {
    const wordless = { calls: counting.calls };
    const { run } = await play([wordless, wordless], { tools: ['count'], maxToolRounds: 1 });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Model.Malformed',
      message: expect.stringContaining('maxToolRounds') as string,
    });
  });
});

describe('a reply', () => {
  test('that ran into its limit of tokens is a reply, and says so', async () => {
    const { run } = await play([{ text: 'It all began when', finishReason: 'length' }]);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'It all began when' });
    expect((await run.transcript())[1]?.reply).toMatchObject({ finishReason: 'length' });
    expect((await eventsOf(run, 'message.completed'))[0]).toMatchObject({ finishReason: 'length' });
  });

  test('that ran into its limit in the middle of arguments calls nothing with half of them', async () => {
    const { run, calls } = await play(
      [
        { calls: [{ name: 'count', arguments: '{"upTo":' }], finishReason: 'length' },
        { calls: [], text: 'sorry' },
      ],
      { tools: ['count'] },
    );

    expect((await run.result()).output).toBe('sorry');
    expect(calls[1]?.messages.at(-1)?.content).toContain('are not a JSON object');
  });

  test('that is a refusal is what the model says', async () => {
    const { run } = await play([{ refusal: 'I would rather not.' }]);

    expect((await run.result()).output).toBe('I would rather not.');
    expect((await run.transcript())[1]?.reply).toMatchObject({ finishReason: 'refusal' });
  });

  test('may have thoughts: watchers see them, other agents do not', async () => {
    const first = stage.actor([{ reasoning: 'hmm, tea', text: 'Tea.' }], { name: 'first' });
    const second = stage.actor(['Yes, tea.'], { name: 'second' });
    const run = await stage.world.client.start('sequential', { agents: [first.agent, second.agent], task: 'drink?' });
    await run.result();

    const thoughts = (await eventsOf(run, 'delta')).flatMap((event) => (event.type === 'delta' && event.kind ? event.text : []));
    expect(thoughts.join('')).toBe('hmm, tea');
    expect(second.calls[0]?.heard('hmm')).toBe(false);
    expect(textOf((await run.transcript())[1]!.message)).toBe('Tea.');
  });
});

async function eventsOf(run: Awaited<ReturnType<typeof play>>['run'], type: string) {
  const events = [];
  for await (const event of run.watch()) if (event.type === type) events.push(event);
  return events;
}
