/** Orchestrations as members of others, and agents as tools of others: who spoke, what each heard, what came of it. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import {
  defineAgent,
  defineFunction,
  defineOrchestration,
  defineTool,
  textOf,
  type JsonObject,
  type RunEvent,
  type RunInput,
} from '../../src/index.js';
import { openWorld, type Script, type World } from '../support/world.js';
import { documentOf } from '../support/agent-state.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const agent = (name: string, more: object = {}) => ({ name, instructions: `You are ${name}.`, model: name, ...more });
const [a, b, c, boss] = ['a', 'b', 'c', 'boss'].map((name) => agent(name)) as [never, never, never, never];
const panel = (agents: unknown[], more: object = {}) => ({ name: 'panel', pattern: 'sequential', agents, ...more });
const calls = (...named: [string, JsonObject?][]) => ({ calls: named.map(([name, args = {}]) => ({ name, arguments: args })) });

const open = (script: Script, more: object = {}) => openWorld({ environment, script, ...more });
const start = async (world: World, pattern: string, input: object) =>
  await world.client.start(pattern, { task: 'go', ...input } as RunInput);
const spoke = (world: World) => world.model.calls.map(({ model }) => model);
const heardBy = (world: World, model: string, which = 0) => {
  const call = world.model.calls.filter((each) => each.model === model)[which];
  return call?.messages.filter(({ role }) => role !== 'system').map(({ content }) => content);
};
const eventsOf = async (run: { watch(): AsyncIterable<RunEvent> }) => {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events;
};
const wordsIn = (entries: { message: Parameters<typeof textOf>[0] }[]) => entries.map(({ message }) => textOf(message));
const ledger = (done: boolean, next: string, moving = true) => {
  const entry = (answer: string | boolean) => ({ reason: 'so it is', answer });
  return JSON.stringify({
    is_request_satisfied: entry(done),
    is_in_loop: entry(false),
    is_progress_being_made: entry(moving),
    next_speaker: entry(next),
    instruction_or_question: entry(`${next}, go on`),
  });
};

describe('an orchestration is a member', () => {
  test('of a sequential run: it hears what was said, and its output is what it says', async () => {
    await using world = await open({ a: ['one'], b: ['two'], c: ['three'], boss: ['four'] });

    const run = await start(world, 'sequential', { agents: [a, panel([b, c]), boss] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'four', rounds: 3, usage: { modelCalls: 4 } });
    expect(spoke(world)).toEqual(['a', 'b', 'c', 'boss']);
    expect(heardBy(world, 'b')).toEqual(['go', '[a]\none']);
    expect(heardBy(world, 'c')).toEqual(['go', '[a]\none', '[b]\ntwo']);
    expect(heardBy(world, 'boss')).toEqual(['go', '[a]\none', '[panel]\nthree']);
    expect(wordsIn(await run.transcript())).toEqual(['go', 'one', 'three', 'four']);
  });

  test('of a concurrent run: each hears the task, and none the others', async () => {
    await using world = await open({ a: ['one'], b: ['two'], c: [{ text: 'three', delayMs: 200 }] });

    const run = await start(world, 'concurrent', {
      agents: [panel([a]), { name: 'desk', pattern: 'handoff', agents: [b] }, c],
    });

    expect(await run.result()).toMatchObject({
      output: [
        { member: 'panel', output: 'one' },
        { member: 'desk', output: 'two' },
        { member: 'c', output: 'three' },
      ],
    });
    expect([heardBy(world, 'a'), heardBy(world, 'b'), heardBy(world, 'c')]).toEqual([['go'], ['go'], ['go']]);
  });

  test('of a routing run, as a target', async () => {
    await using world = await open({ boss: ['{"label": "deep"}'], a: ['one'], b: ['two'] });

    const run = await start(world, 'routing', {
      agents: [c, panel([a, b])],
      options: { classifier: { agent: boss }, routes: { short: 'c', deep: 'panel' } },
    });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'two', rounds: 1 });
    expect(spoke(world)).toEqual(['boss', 'a', 'b']);
  });

  test('of a group chat: the manager chooses it by its name and description', async () => {
    await using world = await open({
      boss: ['{"done": false, "speaker": "panel"}', '{"done": false, "speaker": "c"}', '{"done": true}'],
      a: ['one'],
      b: ['two'],
      c: ['three'],
    });

    const run = await start(world, 'groupChat', {
      agents: [panel([a, b], { description: 'Talks it over.' }), c],
      options: { manager: { agent: boss } },
    });

    expect(await run.result()).toMatchObject({ output: 'three', rounds: 2 });
    expect(heardBy(world, 'boss')?.join('\n')).toContain('- panel: Talks it over.');
    expect(heardBy(world, 'c')).toEqual(['go', '[panel]\ntwo']);
  });

  test('of a handoff run: it is handed over to, makes no moves, and its answer is its turn', async () => {
    await using world = await open({ a: [calls(['transfer_to_panel', { reason: 'hard' }])], b: ['two'], c: ['three'] });

    const run = await start(world, 'handoff', { agents: [a, panel([b, c])] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'three', rounds: 2 });
    expect(heardBy(world, 'b')).toEqual(['go']);
    expect(world.model.calls.filter(({ model }) => model === 'b')[0]?.tools).toEqual([]);
  });

  test('of a magentic run: the manager plans with it', async () => {
    await using world = await open({
      boss: ['{"text": "facts"}', '{"text": "plan"}', ledger(false, 'panel'), ledger(true, 'c'), 'the answer'],
      a: ['one'],
      b: ['two'],
    });

    const run = await start(world, 'magentic', { agents: [panel([a, b]), c], options: { manager: { agent: boss } } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    expect(spoke(world)).toEqual(['boss', 'boss', 'boss', 'a', 'b', 'boss', 'boss']);
    expect(heardBy(world, 'a')?.at(-1)).toContain('panel, go on');
  });

  test.each([
    [
      'concurrent',
      { a: ['one'], b: ['two'] },
      { agents: [a, b] },
      '[{"member":"a","status":"completed","output":"one"},{"member":"b","status":"completed","output":"two"}]',
    ],
    [
      'routing',
      { boss: ['{"label": "x"}'], a: ['one'] },
      { agents: [a], options: { classifier: { agent: boss }, routes: { x: 'a' } } },
      'one',
    ],
    ['handoff', { a: [calls(['transfer_to_b'])], b: ['two'] }, { agents: [a, b] }, 'two'],
    ['groupChat', { a: ['one'], b: ['two'] }, { agents: [a, b], options: { maxRounds: 2 } }, 'two'],
    [
      'magentic',
      { boss: ['{"text": "facts"}', '{"text": "plan"}', ledger(false, 'a'), ledger(true, 'a'), 'answer'], a: ['one'] },
      { agents: [a], options: { manager: { agent: boss } } },
      'answer',
    ],
  ])('as a %s run', async (pattern, script, document, said) => {
    await using world = await open({ ...(script as object), c: ['end'] });

    const run = await start(world, 'sequential', { agents: [{ name: 'inner', pattern, ...document }, c] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'end', rounds: 2 });
    expect(heardBy(world, 'c')).toEqual(['go', `[inner]\n${said}`]);
    world.model.assertComplete();
  });

  test('that is registered, by name; three levels deep', async () => {
    const inner = defineOrchestration({ name: 'inner', pattern: 'sequential', agents: [defineAgent(a), defineAgent(b)] });
    const middle = defineOrchestration({ name: 'middle', pattern: 'concurrent', agents: [inner], options: { aggregator: 'vote' } });
    await using world = await open({ a: ['one'], b: ['two'], c: ['three'] }, { orchestrations: [middle] });

    const run = await start(world, 'sequential', { agents: ['middle', c] });

    expect(await run.result()).toMatchObject({ output: 'three', usage: { modelCalls: 3 } });
    expect(heardBy(world, 'b')).toEqual(['go', '[a]\none']);
    expect(heardBy(world, 'c')).toEqual(['go', '[middle]\ntwo']);
  });

  test('twice, each time in a run of its own', async () => {
    await using world = await open({ a: ['one', 'two'], c: ['three'] });

    const run = await start(world, 'groupChat', { agents: [panel([a]), c], options: { maxRounds: 3 } });

    expect(await run.result()).toMatchObject({ output: 'two', rounds: 3 });
    expect(heardBy(world, 'a', 1)).toEqual(['go', '[panel]\none', '[c]\nthree']);
    const runs = (await eventsOf(run)).flatMap((event) => (event.type === 'nested.started' ? event.nestedRunId : []));
    expect(runs).toEqual([`${run.id}/1-panel`, `${run.id}/3-panel`]);
  });

  test('with eight levels, and no more', async () => {
    const levels = (count: number): object =>
      count === 0 ? a : { name: `level${count}`, pattern: 'sequential', agents: [levels(count - 1)] };
    await using world = await open({ a: ['from below'] });

    expect(await (await start(world, 'sequential', { agents: [levels(8)] })).result()).toMatchObject({ output: 'from below' });

    const deeper = start(world, 'sequential', { agents: [levels(9)] }).then((run) => run.result());
    await expect(deeper).rejects.toThrow(/more than 8 levels deep: level9 → level8 → [^]* → level1/);
  });
});

describe('what a nested run hears', () => {
  test('is what its member heard: no private words, no tool traffic, nothing that others say meanwhile', async () => {
    const look = defineTool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'a secret' });
    await using world = await open({ a: [calls(['look']), 'one'], b: ['two'] }, { tools: [look] });

    const run = await start(world, 'sequential', { agents: [agent('a', { tools: ['look'] }), panel([b])] });
    await run.result();

    expect(heardBy(world, 'b')).toEqual(['go', '[a]\none']);
  });

  test('is no more than the last reply, where the run above says so', async () => {
    await using world = await open({ a: ['one'], b: ['two'], c: ['three'] });

    await (await start(world, 'sequential', { agents: [a, panel([b, c])], options: { contextMode: 'lastReply' } })).result();

    expect(heardBy(world, 'b')).toEqual(['[a]\none']);
    expect(heardBy(world, 'c')).toEqual(['[a]\none', '[b]\ntwo']);
  });

  test('is no more than the last reply, where it says so itself', async () => {
    await using world = await open({ a: ['one'], b: ['two'], c: ['three'] });

    await (await start(world, 'sequential', { agents: [a, panel([b, c], { options: { contextMode: 'lastReply' } })] })).result();

    expect(heardBy(world, 'b')).toEqual(['go', '[a]\none']);
    expect(heardBy(world, 'c')).toEqual(['[b]\ntwo']);
  });

  test('is what a transform makes for it', async () => {
    const loud = defineFunction<{ text: string }>({ name: 'loud', run: ({ text }) => text.toUpperCase() });
    await using world = await open({ a: ['one'], b: ['two'] }, { functions: [loud] });

    await (await start(world, 'sequential', { agents: [a, panel([b])], options: { transforms: { panel: 'loud' } } })).result();

    expect(heardBy(world, 'b')).toEqual(['ONE']);
  });

  test('still is the task when a plan in it is made anew', async () => {
    await using world = await open({
      boss: [
        '{"text": "facts"}',
        '{"text": "plan"}',
        ledger(false, 'a', false),
        '{"text": "new facts"}',
        '{"text": "new plan"}',
        ledger(false, 'a'),
        ledger(true, 'a'),
        'answer',
      ],
      a: ['one'],
    });

    const run = await start(world, 'sequential', {
      agents: [{ name: 'crew', pattern: 'magentic', agents: [a], options: { manager: { agent: boss }, maxStalls: 0 } }],
      task: 'the task',
    });

    expect(await run.result()).toMatchObject({ output: 'answer' });
    expect(heardBy(world, 'a')?.[0]).toBe('the task');
    expect(heardBy(world, 'a')?.join('\n')).toContain('new plan');
    expect(heardBy(world, 'a')?.join('\n')).not.toMatch(/plan:\nplan$/m);
    world.model.assertComplete();
  });

  test('does not mix up agents of the same name above and below', async () => {
    const look = defineTool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'a secret' });
    await using world = await open({ a: [calls(['look']), 'one', 'two'] }, { tools: [look] });

    const run = await start(world, 'sequential', { agents: [agent('a', { tools: ['look'] }), panel([a])] });
    await run.result();

    const inner = world.client.attach(`${run.id}/2-panel`);
    expect(heardBy(world, 'a', 2)?.join()).not.toContain('a secret');
    const { data } = await documentOf(inner, 'a');
    expect(data.conversationHistory.map(({ $type, messages }) => [$type, messages.map(textOf)])).toEqual([
      ['request', ['go', 'one']],
      ['response', ['two']],
    ]);
  });
});

describe('a nested run is a run', () => {
  test('with a transcript that begins with what it took over, wherever that is stored', async () => {
    const long = (name: string) => `${name} ${'x'.repeat(2000)}`;
    await using world = await open({ a: [long('one'), long('two'), long('three')], b: ['four'] });

    const run = await start(world, 'sequential', { agents: [a, agent('a2', { model: 'a' }), agent('a3', { model: 'a' }), panel([b])] });
    await run.result();

    const inner = world.client.attach(`${run.id}/4-panel`);
    expect(wordsIn(await inner.transcript())).toEqual(['go', long('one'), long('two'), long('three'), 'four']);
    expect((await inner.status()).transcriptLength).toBe(5);
    expect(await inner.result()).toMatchObject({ status: 'completed', output: 'four', rounds: 1, usage: { modelCalls: 1 } });
  });

  test('whose conversation another run goes on with, and so is that of the run above', async () => {
    await using world = await open({ a: ['one'], b: ['two'], c: ['three', 'four'] });
    const first = await start(world, 'sequential', { agents: [a, panel([b])] });
    await first.result();

    const below = await start(world, 'sequential', { agents: [c], task: 'and then', conversation: `${first.id}/2-panel` });
    await below.result();
    const above = await start(world, 'sequential', { agents: [panel([c])], task: 'and then', conversation: first.id });
    await above.result();

    expect(heardBy(world, 'c')).toEqual(['go', '[a]\none', '[b]\ntwo', 'and then']);
    expect(heardBy(world, 'c', 1)).toEqual(['go', '[a]\none', '[panel]\ntwo', 'and then']);
    expect(wordsIn(await below.transcript())).toEqual(['go', 'one', 'two', 'and then', 'three']);
    const inner = world.client.attach(`${above.id}/3-panel`);
    expect(wordsIn(await inner.transcript())).toEqual(['go', 'one', 'two', 'and then', 'four']);
  });

  test('whose events are told at the top as well, words as they come among them', async () => {
    await using world = await open({ a: ['one'], b: ['two'] });

    const run = await start(world, 'sequential', { agents: [panel([{ name: 'core', pattern: 'sequential', agents: [a] }]), b] });
    const events = await eventsOf(run);

    const core = `${run.id}/1-panel/2-core`;
    const told = (nested: string | undefined) => events.filter((event) => event.nested === nested).map(({ type }) => type);
    expect(told(core)).toEqual(
      expect.arrayContaining(['run.started', 'turn.started', 'delta', 'message.completed', 'turn.completed', 'run.finished']),
    );
    expect(told(`${run.id}/1-panel`)).toEqual(expect.arrayContaining(['nested.started', 'nested.ended', 'run.finished']));
    expect(told(undefined).at(-1)).toBe('run.finished');
    expect(told(undefined).filter((type) => type === 'run.finished')).toHaveLength(1);
    expect(events.flatMap((event) => (event.type === 'nested.ended' ? [event.status] : []))).toEqual(['completed', 'completed']);
    const own = await eventsOf(world.client.attach(core));
    expect(own.map(({ type }) => type)).toEqual(told(core));
    expect(own.every(({ nested }) => nested === undefined)).toBe(true);
  });

  test('whose large output is what the member says, whole, under its name', async () => {
    const large = `It begins. ${'é'.repeat(60_000)} It ends.`;
    await using world = await open({ a: [large, large], b: [(call) => String(call.heard('panel', 'It ends.'))] });

    const run = await start(world, 'sequential', { agents: [panel([a]), b] });
    expect(await run.result()).toMatchObject({ output: 'true' });

    const alone = await start(world, 'sequential', { agents: [panel([a])] });
    expect(await alone.result()).toMatchObject({ output: large });
    const [, said] = await alone.transcript();
    expect(said).toMatchObject({ cut: true, message: { authorName: 'panel' } });
  });

  test('whose list of large answers is its output', async () => {
    const large = (name: string) => `${name} "${'"'.repeat(25_000)}" end of ${name}.`;
    await using world = await open({
      a: [large('a')],
      b: [large('b')],
      c: [(call) => `${call.heard('panel', 'end of a.')} ${call.heard('panel', 'end of b.')}`],
    });

    const run = await start(world, 'sequential', { agents: [panel([a, b], { pattern: 'concurrent' }), c] });

    expect(await run.result()).toMatchObject({ output: 'true true' });
  });

  test('with an output of a form of its own', async () => {
    await using world = await open({ a: ['It is {"n": 1}.'], b: ['two'] });

    const schema = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] };
    const run = await start(world, 'sequential', { agents: [panel([a], { output: { schema } }), b] });
    await run.result();

    expect(heardBy(world, 'b')).toEqual(['go', '[panel]\n{"n":1}']);
  });

  test('with conditions and limits of its own: reaching one ends only it', async () => {
    await using world = await open({ a: ['DONE', 'again'], b: ['two'], c: ['three'] });

    const run = await start(world, 'sequential', {
      agents: [
        panel([a, b], { termination: { type: 'textMention', text: 'DONE' } }),
        { name: 'short', pattern: 'sequential', agents: [a, b], limits: { turns: 1 } },
        c,
      ],
    });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'three', stopReason: { code: 'completed' } });
    expect(spoke(world)).toEqual(['a', 'a', 'c']);
  });
});

describe('an agent as a tool of another', () => {
  test('hears the message of the call and nothing else, and its answer is the result', async () => {
    await using world = await open({ boss: [calls(['ask_b', { message: 'what is two?' }]), 'it is two'], b: ['two'] });

    const run = await start(world, 'sequential', { agents: [agent('boss', { tools: [{ agent: b }] })] });

    expect(await run.result()).toMatchObject({ output: 'it is two', rounds: 1, usage: { modelCalls: 3 } });
    expect(heardBy(world, 'b')).toEqual(['[boss]\nwhat is two?']);
    expect(heardBy(world, 'boss', 1)).toEqual(['go', '', 'two']);
    expect(world.model.calls[0]?.tools).toMatchObject([{ name: 'ask_b', parameters: { required: ['message'] } }]);
  });

  test('is asked side by side with others, orchestrations and ordinary tools; the results come in the order of the calls', async () => {
    const clock = defineTool({ name: 'clock', description: 'Tells the time.', input: z.object({}), run: () => 'noon' });
    const pair = defineOrchestration({ name: 'pair', pattern: 'sequential', agents: [defineAgent(b), defineAgent(c)] });
    const started: string[] = [];
    let release: () => void = (): void => undefined;
    const both = new Promise<void>((resolve) => (release = resolve));
    const slow = async ({ model }: { model: string }) => {
      started.push(model);
      if (started.length === 2) release();
      await both;
      return `from ${model}`;
    };
    await using world = await open(
      {
        boss: [calls(['ask_pair', { message: 'to the pair' }], ['clock'], ['ask_a', { message: 'to a' }]), 'all heard'],
        a: [slow],
        b: [slow],
        c: ['from c'],
      },
      { orchestrations: [pair], tools: [clock] },
    );

    const run = await start(world, 'sequential', {
      agents: [agent('boss', { tools: [{ orchestration: 'pair' }, 'clock', { agent: a }] })],
    });

    expect(await run.result()).toMatchObject({ output: 'all heard' });
    expect(heardBy(world, 'boss', 1)?.slice(2)).toEqual(['from c', 'noon', 'from a']);
    expect(heardBy(world, 'c')).toEqual(['[boss]\nto the pair', '[b]\nfrom b']);
  });

  test('that fails, or is asked in the wrong way, is told to whoever asked', async () => {
    await using world = await open({
      boss: [calls(['ask_b', { message: 'please' }], ['ask_b', { text: 'oh' }]), 'so be it'],
      b: [{ status: 401, body: { error: { message: 'bad key' } } }],
    });

    const run = await start(world, 'sequential', { agents: [agent('boss', { tools: [{ agent: b }] })] });

    expect(await run.result()).toMatchObject({ output: 'so be it' });
    const [first, second] = heardBy(world, 'boss', 1)?.slice(2) ?? [];
    expect(first).toMatch(/^ask_b failed: b \(run ".*"\): /);
    expect(second).toContain('it takes { "message": "…" }');
  });

  test('uses agents as tools itself', async () => {
    await using world = await open({
      boss: [calls(['ask_b', { message: 'up' }]), 'top'],
      b: [calls(['ask_a', { message: 'down' }]), 'middle'],
      a: ['bottom'],
    });

    const run = await start(world, 'sequential', {
      agents: [agent('boss', { tools: [{ agent: agent('b', { tools: [{ agent: a }] }) }] })],
    });

    expect(await run.result()).toMatchObject({ output: 'top', usage: { modelCalls: 5 } });
    expect(heardBy(world, 'b', 1)?.at(-1)).toBe('bottom');
    expect(heardBy(world, 'boss', 1)?.at(-1)).toBe('middle');
  });

  test('of a long answer whoever asked hears the beginning, and that it was cut', async () => {
    await using world = await open({ boss: [calls(['ask_b', { message: 'all' }]), 'done'], b: [`first ${'x'.repeat(100_000)}`] });

    const run = await start(world, 'sequential', { agents: [agent('boss', { tools: [{ agent: b }] })] });
    await run.result();

    const heard = heardBy(world, 'boss', 1)?.at(-1) ?? '';
    expect(heard).toMatch(/^first x{31994} … \(cut: it has 100006 characters\)$/);
  });

  test('an orchestration with a form of its own is called with that form', async () => {
    const ask = defineOrchestration({
      name: 'ask',
      pattern: 'sequential',
      agents: [defineAgent(b)],
      input: z.object({ city: z.string() }),
    });
    await using world = await open(
      { boss: [calls(['ask_ask', { city: 'Oslo' }], ['ask_ask', { town: 'Oslo' }]), 'done'], b: ['rain'] },
      { orchestrations: [ask] },
    );

    const run = await start(world, 'sequential', { agents: [agent('boss', { tools: [{ orchestration: 'ask' }] })] });
    await run.result();

    expect(world.model.calls[0]?.tools).toMatchObject([{ name: 'ask_ask', parameters: { required: ['city'] } }]);
    expect(heardBy(world, 'b')).toEqual(['{\n  "city": "Oslo"\n}']);
    expect(heardBy(world, 'boss', 1)?.[2]).toBe('rain');
    expect(heardBy(world, 'boss', 1)?.[3]).toContain('task.city');
  });
});

describe('what cannot be nested is refused before anything is said', () => {
  const loop = defineOrchestration({ name: 'loop', pattern: 'sequential', agents: ['other'] });
  const other = defineOrchestration({ name: 'other', pattern: 'sequential', agents: ['loop'] });

  test.each([
    ['an orchestration that is inside of itself', { agents: ['loop'] }, /agents\[0\][^]*is inside of itself: loop → other → loop/],
    ['an agent that asks itself', { agents: ['echo'] }, /is inside of itself: echo → echo/],
    ['a session', { agents: [{ name: 'talk', pattern: 'session', agents: [a] }] }, /agents\[0\][^]*waits to be spoken to/],
    ['an orchestration without agents', { agents: [panel([])] }, /agents\[0\]\.agents/],
    [
      'an orchestration with wrong options',
      { agents: [panel([a], { options: { contextMode: 'none' } })] },
      /agents\[0\]\.options\.contextMode/,
    ],
    ['a name that nobody has registered, below', { agents: [panel(['stranger'])] }, /agents\[0\]\.agents\[0\][^]*stranger/],
    [
      'an agent called an orchestration',
      { agents: [agent('boss', { tools: [{ orchestration: 'echo' }] })] },
      /is an agent; write \{ "agent"/,
    ],
    [
      'a name that is too long for a call',
      { agents: [agent('boss', { tools: [{ agent: agent('x'.repeat(61)) }] })] },
      /would be called ask_x+, and providers take 64 characters/,
    ],
  ])('%s', async (_, input, problem) => {
    const echo = defineAgent({ name: 'echo', instructions: 'Echo.', model: 'a', tools: [{ agent: 'echo' }] });
    await using world = await open([], { agents: [echo], orchestrations: [loop, other] });

    const running = start(world, 'sequential', input).then((run) => run.result());

    await expect(running).rejects.toMatchObject({ type: expect.stringMatching(/^Input\./) as string });
    await expect(running).rejects.toThrow(problem);
    expect(world.model.calls).toEqual([]);
  });

  test('but the same name inside of itself is two orchestrations', async () => {
    await using world = await open(['one']);

    const run = await start(world, 'sequential', { agents: [panel([panel([a])])] });

    expect(await run.result()).toMatchObject({ output: 'one' });
  });
});
