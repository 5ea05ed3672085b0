import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import type { RunHandle } from '../../src/client.js';
import type { EventType, RunEvent } from '../../src/contract/event.js';
import { defineAgent, defineFunction, defineTool, textOf } from '../../src/index.js';
import { openWorld, type ScriptedCall } from '../support/world.js';
import { eventually } from '../support/eventually.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const look = defineTool({ name: 'look', description: 'Looks.', input: z.object({ at: z.string() }), run: ({ at }) => `saw ${at}` });
const member = (name: string, more: object = {}) => defineAgent({ name, instructions: `You are ${name}.`, model: name, ...more });
const [a, b, c, judge] = [member('a'), member('b'), member('c'), member('judge')];
const team = [a, b, c];
const three = { agents: ['a', 'b', 'c'], task: 'go' };
const refusal = { status: 401, body: { error: { message: 'bad key' } } };
const looking = (at: string) => ({ calls: [{ name: 'look', arguments: { at } }] });

/** A door that stays closed until it is opened. */
function door() {
  let open = (): void => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open, opened };
}

async function said(run: RunHandle<unknown>): Promise<string[]> {
  return (await run.transcript()).map(({ message }) => `${message.authorName ?? message.role}: ${textOf(message) || errorIn(message)}`);
}

function errorIn({ contents: [content] }: { contents: { $type: string; errorCode?: string }[] }): string {
  return content?.errorCode ?? content?.$type ?? '';
}

async function eventsOf<T extends EventType>(run: RunHandle<unknown>, type: T): Promise<Extract<RunEvent, { type: T }>[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events.filter((event): event is Extract<RunEvent, { type: T }> => event.type === type);
}

const speaking = async (run: RunHandle<unknown>) => (await run.status()).turns.map(({ agent }) => agent);

describe('concurrent', () => {
  test('answers are listed in the order of the agents, whoever is done first', async () => {
    const [first, second] = [door(), door()];
    await using world = await openWorld({
      environment,
      agents: team,
      script: { a: [() => first.opened.then(() => 'one')], b: [() => second.opened.then(() => 'two')], c: ['three'] },
    });

    const run = await world.client.start('concurrent', three);
    await eventually(async () => expect(await speaking(run)).toEqual(['a', 'b']));
    second.open();
    await eventually(async () => expect(await speaking(run)).toEqual(['a']));
    first.open();

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [
        { member: 'a', status: 'completed', output: 'one' },
        { member: 'b', status: 'completed', output: 'two' },
        { member: 'c', status: 'completed', output: 'three' },
      ],
      stopReason: { code: 'completed' },
      rounds: 3,
      usage: { modelCalls: 3 },
    });
    expect(await said(run)).toEqual(['user: go', 'c: three', 'b: two', 'a: one']);
    expect((await eventsOf(run, 'turn.started')).map(({ agent }) => agent)).toEqual(['a', 'b', 'c']);
  });

  test('all hear the task, and none hears another, however late it asks its model again', async () => {
    const others = door();
    await using world = await openWorld({
      environment,
      agents: [member('a', { tools: ['look'] }), b, c],
      tools: [look],
      script: { a: [() => others.opened.then(() => looking('the sky')), 'one'], b: ['two'], c: ['three'] },
    });

    const run = await world.client.start('concurrent', three);
    await eventually(async () => expect(await speaking(run)).toEqual(['a']));
    others.open();
    await run.result();

    const heard = (model: string, at: number) =>
      world.model.calls
        .filter((call) => call.model === model)
        .at(at)
        ?.messages.map(({ content }) => content);
    expect(heard('b', 0)).toEqual(['You are b.', 'go']);
    expect(heard('c', 0)).toEqual(['You are c.', 'go']);
    expect(heard('a', 1)).toEqual(['You are a.', 'go', '', 'saw the sky']);
  });

  test('a single agent is a team too', async () => {
    await using world = await openWorld({ environment, agents: team, script: ['one'] });

    const run = await world.client.start('concurrent', { agents: ['a'], task: 'go' });

    expect((await run.result()).output).toEqual([{ member: 'a', status: 'completed', output: 'one' }]);
  });

  test('a run goes on with the conversation of an earlier one', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one', 'three'], b: ['two', 'four'] } });
    const first = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'go' });
    await first.result();

    const second = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'on', conversation: first.id });

    expect((await second.result()).output).toEqual([
      { member: 'a', status: 'completed', output: 'three' },
      { member: 'b', status: 'completed', output: 'four' },
    ]);
    for (const call of world.model.calls.slice(2)) {
      for (const words of ['go', 'one', 'two', 'on']) expect(call.heard(words)).toBe(true);
      expect(call.heard('three') || call.heard('four')).toBe(false);
    }
  });

  test('as a member of another run, what it says is its list', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: ['two'], c: ['three'] } });

    const run = await world.client.start('sequential', {
      agents: [{ name: 'panel', pattern: 'concurrent', agents: ['a', 'b'] }, 'c'],
      task: 'go',
    });

    expect(await run.result()).toMatchObject({ output: 'three', usage: { modelCalls: 3 } });
    const list = JSON.stringify([
      { member: 'a', status: 'completed', output: 'one' },
      { member: 'b', status: 'completed', output: 'two' },
    ]);
    expect(world.model.calls.at(-1)?.heard('panel', list)).toBe(true);
  });

  test('long answers of many are cut in the list, and whole in the transcript', async () => {
    const long = 'word '.repeat(8000);
    const agents = Array.from({ length: 30 }, (_, i) => ({ name: `m${i}`, instructions: 'Speak.', model: 'm' }));
    await using world = await openWorld({ environment, script: () => long, historyEvents: 60 });

    const run = await world.client.start('concurrent', { agents, task: 'go' });
    const { status, output } = await run.result();

    expect(status).toBe('completed');
    const list = output as { member: string; output: string; artifact?: string }[];
    expect(list.map(({ member: name }) => name)).toEqual(agents.map(({ name }) => name));
    expect(list.every(({ output: text, artifact }) => long.startsWith(text.slice(0, 1000)) && artifact !== undefined)).toBe(true);
    expect((await run.transcript()).filter(({ message }) => textOf(message) === long)).toHaveLength(30);
  });
});

describe('when a member fails', () => {
  test('failFast ends the others and the run', async () => {
    const hanging = door();
    await using world = await openWorld({
      environment,
      agents: team,
      script: { a: [{ hang: true }], b: [() => hanging.opened.then(() => refusal)], c: [{ hang: true }] },
    });

    const run = await world.client.start('concurrent', three);
    await world.model.called(3);
    hanging.open();

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused', message: expect.stringMatching(/^b: /) as string });
    await world.model.aborted(2);
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Model.Refused' }, turns: [] });
    expect(await said(run)).toEqual(['user: go', 'b: Model.Refused', 'a: Turn.Abandoned', 'c: Turn.Abandoned']);
    expect((await eventsOf(run, 'turn.failed')).map(({ agent, failure }) => [agent, failure.type])).toEqual([
      ['b', 'Model.Refused'],
      ['a', 'Turn.Abandoned'],
      ['c', 'Turn.Abandoned'],
    ]);
  });

  test('collect makes it a part of the result', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: [refusal], c: ['three'] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: 'collect' } });

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [
        { member: 'a', status: 'completed', output: 'one' },
        { member: 'b', status: 'failed', failure: { type: 'Model.Refused' } },
        { member: 'c', status: 'completed', output: 'three' },
      ],
    });
  });

  test('collect fails when nobody has succeeded', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [refusal], b: [refusal], c: [refusal] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: 'collect' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused', message: expect.stringMatching(/^a: /) as string });
    expect(world.model.calls).toHaveLength(3);
  });

  test('a quorum ends those who are not needed any more', async () => {
    const two = door();
    await using world = await openWorld({
      environment,
      agents: team,
      script: { a: [{ hang: true }], b: ['two'], c: [() => two.opened.then(() => 'three')] },
    });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: { quorum: 2 } } });
    await eventually(async () => expect(await speaking(run)).toEqual(['a', 'c']));
    await world.model.called(3);
    two.open();

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [
        { member: 'a', status: 'abandoned', failure: { type: 'Turn.Abandoned' } },
        { member: 'b', status: 'completed', output: 'two' },
        { member: 'c', status: 'completed', output: 'three' },
      ],
    });
    await world.model.aborted(1);
  });

  test('a quorum bears as many failures as are left over', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: [refusal], c: ['three'] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: { quorum: 2 } } });

    const { output } = await run.result();
    expect((output as { status: string }[]).map(({ status }) => status)).toEqual(['completed', 'failed', 'completed']);
  });

  test('a quorum that cannot be reached any more ends the others, and the run with every reason', async () => {
    // When all have been asked.
    const refuses = (): Promise<typeof refusal> => world.model.called(3).then(() => refusal);
    await using world = await openWorld({ environment, agents: team, script: { a: [refuses], b: [{ hang: true }], c: [refuses] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: { quorum: 2 } } });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Run.NoQuorum',
      message: expect.stringMatching(/^0 of 3 members succeeded, and 2 were asked for:\n- a: .*bad key[^]*\n- c: .*bad key/) as string,
    });
    await world.model.aborted(1);
  });

  test('a quorum of everybody ends at the first failure, and says that it was missed', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [{ hang: true }], b: [refusal], c: [{ hang: true }] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: { quorum: 3 } } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Run.NoQuorum', message: expect.stringContaining('bad key') as string });
  });

  test('one whose model never answers has failed after its time, and its call is broken off', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [{ hang: true }] } });

    const run = await world.client.start('concurrent', { agents: ['a'], task: 'go', options: { memberTimeout: '1 second' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Turn.TimedOut', message: 'a: a did not answer within 1000 ms.' });
    expect(await said(run)).toEqual(['user: go', 'a: Turn.TimedOut']);
  });

  test('one that says nothing has failed', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: ['', ''], c: ['three'] } });

    const run = await world.client.start('concurrent', { ...three, options: { failurePolicy: 'collect' } });

    expect((await run.result()).output).toMatchObject([{ output: 'one' }, { failure: { type: 'Model.Empty' } }, { output: 'three' }]);
  });

  test.each([
    ['a quorum of more than there are', { failurePolicy: { quorum: 4 } }, 'options.failurePolicy.quorum'],
    ['a quorum of none', { failurePolicy: { quorum: 0 } }, 'options.failurePolicy.quorum'],
    ['a policy nobody knows', { failurePolicy: 'ignore' }, 'options.failurePolicy'],
    ['no time at all', { memberTimeout: 0 }, 'options.memberTimeout'],
    ['an aggregator nobody knows', { aggregator: { agent: 'stranger' } }, 'options.aggregator.agent'],
    ['a function nobody knows', { aggregator: { function: 'stranger' } }, 'options.aggregator.function'],
    ['an option nobody knows', { agregator: 'vote' }, 'options.agregator'],
  ])('at once when started with %s', async (_, options, problem) => {
    await using world = await openWorld({ environment, agents: team });

    const running = world.client.start('concurrent', { ...three, options: options as never }).then((run) => run.result());

    await expect(running).rejects.toMatchObject({
      type: expect.stringMatching(/^Input\.(Invalid|UnknownAgent)$/) as string,
      message: expect.stringContaining(problem) as string,
    });
    expect(world.model.calls).toHaveLength(0);
  });
});

describe('an aggregator', () => {
  const script = { a: ['one'], b: ['two'], c: ['three'] };

  test('that is a function is given the results in the order of the agents, and makes the output', async () => {
    const given: unknown[] = [];
    const join = defineFunction<{ results: { output: string }[] }>({
      name: 'join',
      run: ({ results }) => {
        given.push(results);
        return { joined: results.map(({ output }) => output).join('+') };
      },
    });
    await using world = await openWorld({ environment, agents: team, functions: [join], script });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { function: 'join' } } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: { joined: 'one+two+three' }, rounds: 3 });
    expect(given).toEqual([
      [
        { member: 'a', status: 'completed', output: 'one' },
        { member: 'b', status: 'completed', output: 'two' },
        { member: 'c', status: 'completed', output: 'three' },
      ],
    ]);
  });

  test('that throws fails the run, and what was said stays readable', async () => {
    const broken = defineFunction({
      name: 'broken',
      run: () => {
        throw new Error('cannot count');
      },
    });
    await using world = await openWorld({ environment, agents: team, functions: [broken], script });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { function: 'broken' } } });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringContaining('cannot count') as string,
    });
    expect((await said(run)).sort()).toEqual(['a: one', 'b: two', 'c: three', 'user: go']);
  });

  test('that returns nothing leaves the list', async () => {
    const silent = defineFunction({ name: 'silent', run: () => undefined });
    await using world = await openWorld({ environment, agents: team, functions: [silent], script });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { function: 'silent' } } });

    expect((await run.result()).output).toMatchObject([{ output: 'one' }, { output: 'two' }, { output: 'three' }]);
  });

  test('that is an agent hears everything that was said, and its reply is the output', async () => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: { ...script, judge: ['all of it'] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'all of it', rounds: 4 });
    const call = world.model.calls[3]!;
    expect(call.instructions).toBe('You are judge.');
    expect([call.heard('go'), call.heard('a', 'one'), call.heard('b', 'two'), call.heard('c', 'three')]).toEqual([true, true, true, true]);
    expect((await run.status()).agents).toEqual(['a', 'b', 'c']);
  });

  test('that is one of the members speaks a second time', async () => {
    await using world = await openWorld({ environment, agents: team, script: { ...script, b: ['two', 'two it is'] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'b' } } });

    expect(await run.result()).toMatchObject({ output: 'two it is', rounds: 4 });
  });

  test('that is an agent with a long reply gives all of it', async () => {
    const long = 'word '.repeat(30_000);
    await using world = await openWorld({ environment, agents: [...team, judge], script: { ...script, judge: [long] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } } });

    expect((await run.result()).output).toBe(long);
  });

  test('that is an agent and fails, fails the run', async () => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: { ...script, judge: ['', ''] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Empty' });
  });

  test.each([
    ['the most, capitals and full stops aside', ['Tea.', ' coffee', 'tea'], 'Tea.'],
    ['the first of equals', ['coffee', 'tea', 'juice'], 'coffee'],
  ])('that counts votes takes what was said by %s', async (_, [one, two, third], winner) => {
    await using world = await openWorld({ environment, agents: team, script: { a: [one!], b: [two!], c: [third!] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: 'vote' } });

    expect((await run.result()).output).toBe(winner);
  });

  test('that counts votes tells watchers how they fell, and does not count who failed', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [refusal], b: ['tea'], c: ['coffee'] } });

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: 'vote', failurePolicy: 'collect' } });

    expect((await run.result()).output).toBe('tea');
    expect(await eventsOf(run, 'votes.counted')).toMatchObject([
      {
        votes: [
          { vote: 'tea', members: ['b'] },
          { vote: 'coffee', members: ['c'] },
        ],
        winner: 'tea',
      },
    ]);
  });

  test('of a form that the output has to have', async () => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: { ...script, judge: ['{"best":"b"}'] } });
    const schema = { type: 'object', properties: { best: { type: 'string' } }, required: ['best'] };

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } }, output: { schema } });

    expect((await run.result()).output).toEqual({ best: 'b' });
  });

  test('that counts votes in JSON gives the winner in the form asked for', async () => {
    const [yes, no] = ['{"ship":true}', '{"ship":false}'];
    await using world = await openWorld({ environment, agents: team, script: { a: [no], b: [yes], c: [yes] } });
    const schema = { type: 'object', properties: { ship: { type: 'boolean' } }, required: ['ship'] };

    const run = await world.client.start('concurrent', { ...three, options: { aggregator: 'vote' }, output: { schema } });

    expect((await run.result()).output).toEqual({ ship: true });
  });

  test('that is an agent finishes its turn when the run is cancelled meanwhile, and has the last word', async () => {
    const late = door();
    await using world = await openWorld({
      environment,
      agents: [...team, judge],
      script: { ...script, judge: [() => late.opened.then(() => 'all of it')] },
    });
    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } } });
    await world.model.called(4);

    await run.cancel();
    late.open();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'all of it', rounds: 4 });
  });
});

describe('termination of a concurrent run', () => {
  const script = { a: ['one'], b: ['two'], c: ['three'], judge: ['all of it'] };
  const usage = { inputTokens: 10, outputTokens: 7 };
  const spending = Object.fromEntries(Object.entries(script).map(([name, [text]]) => [name, [{ text: text!, usage }]]));

  test.each([
    ['four messages were said: the task and three answers', { type: 'maxMessages', max: 4 }, 3, undefined],
    ['five were said, the aggregate too', { type: 'maxMessages', max: 5 }, 4, 4],
    ['three turns were taken', { type: 'maxTurns', max: 3 }, 3, undefined],
    ['four turns were taken', { type: 'maxTurns', max: 4 }, 4, 4],
    ['the second has spoken', { type: 'source', sources: ['b'] }, 3, 2],
    ['the tokens of three answers are used', { type: 'tokenUsage', total: 51 }, 3, undefined],
    ['the tokens of four answers are used', { type: 'tokenUsage', total: 52 }, 4, 4],
    ['somebody has said "two"', { type: 'textMention', text: 'two' }, 3, 2],
    [
      'two have said what they said',
      {
        type: 'and',
        conditions: [
          { type: 'textMention', text: 'one' },
          { type: 'source', sources: ['c'] },
        ],
      },
      3,
      undefined,
    ],
  ] as const)('ends it when %s', async (_, termination, rounds, turn) => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: spending });

    const run = await world.client.start('concurrent', {
      ...three,
      termination: termination as never,
      options: { aggregator: { agent: 'judge' } },
    });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, rounds, usage: { modelCalls: rounds } });
    if (turn !== undefined) expect(result.stopReason.conditions?.map((fired) => fired.turn)).toEqual([turn]);
    const list = [{ output: 'one' }, { output: 'two' }, { output: 'three' }];
    if (rounds === 3) expect(result.output).toMatchObject(list);
    else expect(result.output).toBe('all of it');
    expect(await eventsOf(run, 'condition.met')).toHaveLength(1);
  });

  test.each([
    ['messages', { type: 'maxMessages', max: 6 }],
    ['turns', { type: 'maxTurns', max: 5 }],
    ['tokens', { type: 'tokenUsage', total: 69 }],
  ] as const)('counts no %s twice', async (_, termination) => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: spending, historyEvents: 5 });

    const run = await world.client.start('concurrent', { ...three, termination, options: { aggregator: { agent: 'judge' } } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'all of it', rounds: 4 });
  });

  test('lets the others finish, in whatever order they do', async () => {
    const late = door();
    await using world = await openWorld({
      environment,
      agents: team,
      script: { a: [() => late.opened.then(() => 'one')], b: ['two'], c: [() => late.opened.then(() => 'three')] },
    });

    const run = await world.client.start('concurrent', { ...three, termination: { type: 'textMention', text: 'two' } });
    await eventually(async () => expect(await speaking(run)).toEqual(['a', 'c']));
    late.open();

    expect(await run.result()).toMatchObject({
      stopReason: { code: 'condition', conditions: [{ type: 'textMention', turn: 2 }] },
      output: [{ output: 'one' }, { output: 'two' }, { output: 'three' }],
    });
  });

  test('by a function asks it once, when all have spoken, and gives it every message once', async () => {
    const asked: string[][] = [];
    const enough = defineFunction<{ messages: Parameters<typeof textOf>[0][] }>({
      name: 'enough',
      run: ({ messages }) => {
        asked.push(messages.map(textOf).sort());
        return { stop: messages.length === 3, reason: 'All three have spoken.' };
      },
    });
    await using world = await openWorld({ environment, agents: [...team, judge], functions: [enough], script, historyEvents: 5 });

    const run = await world.client.start('concurrent', {
      ...three,
      termination: { type: 'custom', function: 'enough' },
      options: { aggregator: { agent: 'judge' } },
    });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'condition', message: 'All three have spoken.' }, rounds: 3 });
    expect(asked).toEqual([['go'], ['one', 'three', 'two']]);
  });

  test('before anybody has spoken leaves an empty list', async () => {
    await using world = await openWorld({ environment, agents: team, script });

    const run = await world.client.start('concurrent', {
      ...three,
      termination: { type: 'maxMessages', max: 1 },
      options: { aggregator: 'vote' },
    });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'condition' }, output: [], rounds: 0 });
  });

  test('still counts the votes, and calls the function that makes the output, when all have spoken', async () => {
    const count = defineFunction<{ results: unknown[] }>({ name: 'count', run: ({ results }) => results.length });
    await using world = await openWorld({
      environment,
      agents: team,
      functions: [count],
      script: { a: ['x', 'x'], b: ['x', 'y'], c: ['y', 'y'] },
    });
    const termination = { type: 'maxMessages', max: 4 } as const;

    const voted = await world.client.start('concurrent', { ...three, termination, options: { aggregator: 'vote' } });
    expect(await voted.result()).toMatchObject({ stopReason: { code: 'condition' }, output: 'x' });

    const counted = await world.client.start('concurrent', { ...three, termination, options: { aggregator: { function: 'count' } } });
    expect(await counted.result()).toMatchObject({ stopReason: { code: 'condition' }, output: 3 });
  });
});

describe('limits of a concurrent run', () => {
  test('of turns: as many begin, and the result lists them', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: ['two'] } });

    const run = await world.client.start('concurrent', { ...three, limits: { turns: 2 }, options: { aggregator: 'vote' } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.turns' },
      output: [{ output: 'one' }, { output: 'two' }],
      rounds: 2,
    });
  });

  test('of turns hold for the aggregator', async () => {
    await using world = await openWorld({ environment, agents: [...team, judge], script: { a: ['one'], b: ['two'], c: ['three'] } });

    const run = await world.client.start('concurrent', { ...three, limits: { turns: 3 }, options: { aggregator: { agent: 'judge' } } });

    expect(await run.result()).toMatchObject({
      stopReason: { code: 'limit.turns' },
      output: [{ output: 'one' }, { output: 'two' }, { output: 'three' }],
      rounds: 3,
    });
  });

  test('of tokens are checked before each model call, and the result lists who was done', async () => {
    const bs = door();
    await using world = await openWorld({
      environment,
      agents: [a, member('b', { tools: ['look'] })],
      tools: [look],
      script: { a: [{ text: 'one', usage: { inputTokens: 90, outputTokens: 10 } }], b: [() => bs.opened.then(() => looking('it'))] },
    });

    const run = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'go', limits: { tokens: 100 } });
    await eventually(async () => expect(await speaking(run)).toEqual(['b']));
    bs.open();

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.tokens' },
      output: [{ member: 'a', output: 'one' }],
    });
  });
});

describe('cancelling a concurrent run', () => {
  test('gracefully keeps the turns in flight, starts nothing after them, and gives what there is', async () => {
    const late = door();
    await using world = await openWorld({
      environment,
      agents: [...team, judge],
      script: { a: ['one'], b: [() => late.opened.then(() => 'two')], c: [() => late.opened.then(() => 'three')] },
    });
    const run = await world.client.start('concurrent', { ...three, options: { aggregator: { agent: 'judge' } } });
    await eventually(async () => expect(await speaking(run)).toEqual(['b', 'c']));

    expect(await run.cancel({ reason: 'enough' })).toEqual({ status: 'cancelling' });
    late.open();

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      stopReason: { code: 'cancelled', message: 'enough' },
      output: [{ output: 'one' }, { output: 'two' }, { output: 'three' }],
      rounds: 3,
    });
    expect(world.model.calls).toHaveLength(3);
  });

  test('gracefully lets turns finish that continue as new meanwhile', async () => {
    const late = door();
    const first = (at: string) => () => late.opened.then(() => looking(at));
    await using world = await openWorld({
      environment,
      agents: [member('a', { tools: ['look'] }), member('b', { tools: ['look'] })],
      tools: [look],
      historyEvents: 14,
      script: { a: [first('a1'), looking('a2'), 'one'], b: [first('b1'), looking('b2'), 'two'] },
    });
    const run = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'go' });
    await world.model.called(2);

    await run.cancel();
    late.open();

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      output: [{ output: 'one' }, { output: 'two' }],
      usage: { modelCalls: 6 },
    });
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(1);
    world.model.assertComplete();
  });

  test('gracefully while one waits for the others to continue as new', async () => {
    const late = door();
    await using world = await openWorld({
      environment,
      agents: [member('a', { tools: ['look'] }), b],
      tools: [look],
      historyEvents: 14,
      script: { a: [looking('1'), looking('2'), 'one'], b: [() => late.opened.then(() => 'two')] },
    });
    const run = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'go' });
    // It has called its tool, and can ask its model again only after the other one.
    await eventually(async () => expect((await run.checkpoint()).completedSteps).toEqual(['1/1', '1/1/0']));
    await world.model.called(2);

    await run.cancel();
    expect(world.model.calls).toHaveLength(2);
    late.open();

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      output: [{ output: 'one' }, { output: 'two' }],
      usage: { modelCalls: 4 },
    });
  });

  test('immediately aborts all calls, and gives what there is', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [{ hang: true }], b: ['two'], c: [{ hang: true }] } });
    const run = await world.client.start('concurrent', three);
    await world.model.called(3);
    await eventually(async () => expect(await speaking(run)).toEqual(['a', 'c']));

    await run.cancel({ mode: 'immediate' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: [{ member: 'b', output: 'two' }] });
    await world.model.aborted(2);
  });

  test('through Temporal closes it as cancelled, with what there is', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: [{ hang: true }], b: ['two'] } });
    const run = await world.client.start('concurrent', { agents: ['a', 'b'], task: 'go' });
    await world.model.called(2);
    await eventually(async () => expect(await speaking(run)).toEqual(['a']));

    await environment.client.workflow.getHandle(run.id).cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: [{ member: 'b', output: 'two' }] });
    expect((await environment.client.workflow.getHandle(run.id).describe()).status.name).toBe('CANCELLED');
  });

  test('before anybody could begin, and after the end', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['one'], b: ['two'], c: ['three'] } });
    await world.worker.stop();
    const early = await world.client.start('concurrent', three);
    await environment.client.workflow.getHandle(early.id).signal('cancel', {});
    await world.startWorker();

    expect(await early.result()).toMatchObject({ status: 'cancelled', output: [], rounds: 0 });
    expect(world.model.calls).toHaveLength(0);

    const late = await world.client.start('concurrent', three);
    await late.result();
    expect(await late.cancel()).toEqual({ status: 'completed' });
  });
});

describe('a concurrent run that continues as new after every few events', () => {
  const rounds = (name: string, count: number, last: string) => [...Array.from({ length: count }, (_, i) => looking(`${name}${i}`)), last];
  const busy = team.map(({ name }) => member(name, { tools: ['look'] }));
  const script = { a: rounds('a', 3, 'one'), b: rounds('b', 1, 'two'), c: rounds('c', 2, 'three') };
  const results = (calls: readonly ScriptedCall[], model: string) =>
    calls
      .filter((call) => call.model === model)
      .at(-1)
      ?.messages.flatMap(({ role, content }) => (role === 'tool' ? [content] : []));

  test('repeats no model call, and loses nothing of what it did', async () => {
    await using world = await openWorld({ environment, agents: busy, tools: [look], script, historyEvents: 5 });

    const run = await world.client.start('concurrent', three);

    expect(await run.result()).toMatchObject({
      status: 'completed',
      output: [{ output: 'one' }, { output: 'two' }, { output: 'three' }],
      rounds: 3,
      usage: { modelCalls: 9 },
    });
    world.model.assertComplete();
    expect(world.model.calls).toHaveLength(9);
    expect(results(world.model.calls, 'a')).toEqual(['saw a0', 'saw a1', 'saw a2']);
    expect(results(world.model.calls, 'c')).toEqual(['saw c0', 'saw c1']);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(3);
  });

  test('tells watchers everything once', async () => {
    await using world = await openWorld({ environment, agents: busy, tools: [look], script, historyEvents: 5 });

    const run = await world.client.start('concurrent', three);
    await run.result();

    expect((await eventsOf(run, 'run.started')).length).toBe(1);
    expect((await eventsOf(run, 'message.received')).length).toBe(1);
    expect((await eventsOf(run, 'turn.started')).map(({ agent }) => agent)).toEqual(['a', 'b', 'c']);
    expect((await eventsOf(run, 'turn.completed')).map(({ agent }) => agent).sort()).toEqual(['a', 'b', 'c']);
    const { continuations } = await run.checkpoint();
    expect((await eventsOf(run, 'run.continued')).map((event) => event.continuations)).toEqual(
      Array.from({ length: continuations }, (_, i) => i + 1),
    );
  });

  test('does not aggregate twice, also when the output is asked for afterwards', async () => {
    let calls = 0;
    const count = defineFunction<{ results: unknown[] }>({ name: 'count', run: ({ results }) => (calls += 1) && results.length });
    const schema = { type: 'object', properties: { best: { type: 'string' } }, required: ['best'] };
    const output = { schema, from: 'conversation', agent: 'judge' } as const;
    const short = { a: ['one', 'one', 'one'], b: ['two', 'two', 'two'], c: ['three', 'three', 'three'] };
    await using world = await openWorld({
      environment,
      agents: [...team, judge, member('chair')],
      functions: [count],
      script: { ...short, chair: ['all of it'], judge: ['{"best":"a"}', '{"best":"b"}', '{"best":"c"}'] },
      historyEvents: 5,
    });

    const byFunction = await world.client.start('concurrent', { ...three, output, options: { aggregator: { function: 'count' } } });
    expect((await byFunction.result()).output).toEqual({ best: 'a' });
    expect(calls).toBe(1);

    const byVote = await world.client.start('concurrent', { ...three, output, options: { aggregator: 'vote' } });
    expect((await byVote.result()).output).toEqual({ best: 'b' });
    expect(await eventsOf(byVote, 'votes.counted')).toHaveLength(1);

    const byAgent = await world.client.start('concurrent', { ...three, output, options: { aggregator: { agent: 'chair' } } });
    expect(await byAgent.result()).toMatchObject({ output: { best: 'c' }, rounds: 4 });
    world.model.assertComplete();
  });
});

describe('a concurrent run that a new worker takes up at every step', () => {
  test('decides the same, and repeats nothing', async () => {
    const two = door();
    await using world = await openWorld({
      environment,
      agents: [a, member('b', { tools: ['look'] }), c, judge],
      tools: [look],
      script: {
        a: [{ hang: true }],
        b: [looking('it'), () => (two.open(), 'two')],
        // When the first has been asked, too.
        c: [(): Promise<string> => Promise.all([two.opened, world.model.called(4)]).then(() => 'three')],
        judge: ['all of it'],
      },
      config: { worker: { maxCachedWorkflows: 0 } },
    });

    const run = await world.client.start('concurrent', {
      ...three,
      options: { failurePolicy: { quorum: 2 }, memberTimeout: '1 hour', aggregator: { agent: 'judge' } },
    });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'all of it', rounds: 4, usage: { modelCalls: 4 } });
    expect((await said(run)).filter((line) => line.startsWith('a:'))).toEqual(['a: Turn.Abandoned']);
    world.model.assertComplete();
  });
});
