/** Long conversations: what an agent hears of them, and that nothing of them is lost. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';
import { z } from 'zod';
import { defineAgent, defineFunction, defineTool, type RunEvent, type RunExport } from '../../src/index.js';
import { openWorld, type ScriptedCall, type World } from '../support/world.js';
import { putBack } from '../support/put-back.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const base = { name: 'guide', instructions: 'Help.', model: 'guide' } as const;
/** About fifty tokens. */
const long = (text: string) => `${text} ${'x'.repeat(196 - text.length)}`;
const echo = (call: ScriptedCall) => long(`re: ${call.messages.at(-1)?.content.split(' ')[0]}`);
const wordsOf = (call: ScriptedCall | undefined) =>
  (call?.messages ?? [])
    .filter(({ role }) => role !== 'system')
    .map(({ content }) => (content.split(/[\s]/)[0] === 're:' ? content.slice(0, 6).trim() : content.split(' ')[0]));
const sizeOf = (call: ScriptedCall | undefined) => (call?.messages ?? []).reduce((sum, { content }) => sum + content.length, 0);
const asked = (world: World, model: string) => world.model.calls.filter((call) => call.model === model);

async function sayAll(session: RunHandle, from: number, to: number): Promise<void> {
  for (let n = from; n <= to; n++) await session.say(long(`m${n}`));
}

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  return events;
}

/** The id of what stands for the old messages. */
function summaryIn({ blobs }: RunExport): string {
  return Object.keys(blobs).find((id) => blobs[id]?.startsWith('{"messages":')) ?? '';
}

describe('views', () => {
  test('keepLast: the last messages, beginning with what was said to the agent', async () => {
    const guide = defineAgent({ ...base, compaction: { keepLast: 3 } });
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', 'keep');

    await sayAll(session, 1, 4);

    expect(wordsOf(world.model.calls[3])).toEqual(['m3', 're: m3', 'm4']);
    expect(await session.transcript()).toHaveLength(8);
  });

  test('tokens: what fits, by what the provider has counted', async () => {
    const guide = defineAgent({ ...base, compaction: { tokens: 1400 } });
    const script = (call: ScriptedCall) => ({ text: echo(call), usage: { inputTokens: call.messages.length * 250, outputTokens: 50 } });
    await using world = await openWorld({ environment, agents: [guide], script });
    const session = world.client.session('guide', 'tokens');

    await sayAll(session, 1, 5);

    // By our estimate there is room for about twenty.
    expect(world.model.calls.map((call) => call.messages.length)).toEqual([2, 4, 4, 4, 4]);
    expect(wordsOf(world.model.calls[4])).toEqual(['m4', 're: m4', 'm5']);
  });

  test('as JSON in a run, too; what is wrong is said', async () => {
    await using world = await openWorld({ environment, script: echo });
    const start = async (compaction: object) =>
      await world.client.start('sequential', { task: 'go', agents: [{ ...base, compaction } as never] });

    expect((await (await start({ keepLast: 1 })).result()).status).toBe('completed');
    await expect(start({ keep: 1 })).rejects.toMatchObject({
      type: 'Input.Invalid',
      message: expect.stringContaining('agents[0].compaction'),
    });
    await expect(start({ summary: { keepLast: 3 } })).rejects.toMatchObject({ message: expect.stringContaining('summary.over') });
    await expect((await start({ function: 'nobody', over: 10 })).result()).rejects.toMatchObject({
      type: 'Input.UnknownAgent',
      message: expect.stringContaining('agents[0].compaction.function: no function is called "nobody"'),
    });
  });
});

describe('summary', () => {
  const guide = defineAgent({ ...base, compaction: { summary: { over: 400, keepLast: 3, model: 'small' } } });
  /** Numbers its summaries by the one that it is told. */
  const small = (call: ScriptedCall) => `sum-${1 + Number(/sum-(\d+)/.exec(call.messages.at(-1)?.content ?? '')?.[1] ?? 0)}`;
  const script = { guide: echo, small };

  test('stands for what is old, is made once, and is counted, over continue-as-new', async () => {
    await using world = await openWorld({ environment, agents: [guide], script, historyEvents: 25 });
    const session = world.client.session('guide', 'sum');

    await sayAll(session, 1, 12);

    expect(Math.max(...asked(world, 'guide').map(sizeOf))).toBeLessThan(400 * 4);
    const last = asked(world, 'guide').at(-1);
    expect(last?.messages[1]?.content).toMatch(/^Summary of what was said before:\n\nsum-\d/);
    expect(last?.messages.at(-1)?.content).toMatch(/^m12 /);
    expect(asked(world, 'small').length).toBeGreaterThan(1);
    expect(asked(world, 'small').length).toBeLessThan(5);
    expect(asked(world, 'small')[0]?.heard('m1')).toBe(true);
    expect(asked(world, 'small')[1]?.heard('sum-1')).toBe(true);
    expect(asked(world, 'small')[1]?.heard('m1 ')).toBe(false);
    expect(await session.transcript()).toHaveLength(24);
    const status = await session.status();
    expect(status.usage.modelCalls).toBe(world.model.calls.length);
    const events = await eventsOf(session);
    const compactions = events.filter(({ type }) => type === 'conversation.compacted');
    expect(compactions).toHaveLength(asked(world, 'small').length);
    expect(compactions[0]).toMatchObject({
      by: 'summary',
      reason: 'over',
      agent: 'guide',
      step: expect.stringMatching(/^\d+\/1\/compaction$/),
    });
    expect((await session.checkpoint()).continuations).toBeGreaterThan(0);
    expect((await session.checkpoint()).stepOutputs[(compactions.at(-1) as { step: string }).step]).toBeDefined();
  });

  test.each([
    ['fails', { status: 400, body: { error: { message: 'no' } } }, 'Model.Refused'],
    ['says nothing', ' ', 'Model.Empty'],
    [
      'is too short of room itself',
      { status: 400, body: { error: { message: 'no', code: 'context_length_exceeded' } } },
      'Model.ContextLength',
    ],
  ])('a model that %s: the oldest is left out, and an event says so', async (_, reply, type) => {
    await using world = await openWorld({ environment, agents: [guide], script: { guide: echo, small: () => reply } });
    const session = world.client.session('guide', `without ${type}`);

    await sayAll(session, 1, 6);

    const events = await eventsOf(session);
    expect(events.find((event) => event.type === 'compaction.failed')).toMatchObject({ by: 'summary', agent: 'guide', failure: { type } });
    const last = asked(world, 'guide').at(-1);
    expect(sizeOf(last)).toBeLessThan(400 * 4);
    expect(last?.heard('m1 ')).toBe(false);
    expect(last?.heard('m6 ')).toBe(true);
  });

  test('its tokens count against the limit: the call that needed it is not made any more', async () => {
    const costly = { text: 'sum', usage: { inputTokens: 90_000, outputTokens: 10_000 } };
    await using world = await openWorld({ environment, agents: [guide], script: { guide: echo, small: () => costly } });
    const session = world.client.session('guide', 'costly', { limits: { tokens: 50_000 } });
    await sayAll(session, 1, 3);

    for (const n of [4, 5]) await session.send(long(`m${n}`));

    expect(await session.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' } });
    expect(asked(world, 'small')).toHaveLength(1);
    expect(world.model.calls.at(-1)?.model).toBe('small');
  });

  test('a rollback takes the older summary back; a load and an import go on with it', async () => {
    await using world = await openWorld({ environment, agents: [guide], script });
    const session = world.client.session('guide', 'back');
    await sayAll(session, 1, 5);
    expect(asked(world, 'small')).toHaveLength(1);
    const { snapshotId = '' } = await session.save({ label: 'one' });
    await sayAll(session, 6, 10);
    expect(asked(world, 'small').length).toBeGreaterThan(1);

    await putBack(environment, session, snapshotId);
    const before = asked(world, 'small').length;
    await session.say('short');
    expect(asked(world, 'guide').at(-1)?.heard('sum-1')).toBe(true);
    expect(asked(world, 'guide').at(-1)?.heard('sum-2')).toBe(false);
    expect(asked(world, 'small')).toHaveLength(before);

    await using other = await openWorld({ environment, agents: [guide], script });
    const exported = await world.client.export(snapshotId);
    const { [summaryIn(exported)]: _, ...blobs } = exported.blobs;
    await expect(other.client.import({ ...exported, blobs })).rejects.toMatchObject({
      type: 'State.Unreadable',
      message: expect.stringContaining(`blobs.${summaryIn(exported)}: is missing`),
    });
    const record = await other.client.import(JSON.stringify(exported));
    const copy = await other.client.load(record.id, { id: `loaded-${other.taskQueue}` });
    await copy.say('there');
    expect(asked(other, 'guide').at(-1)?.heard('sum-1')).toBe(true);
    expect(asked(other, 'small')).toHaveLength(0);
    expect(await copy.transcript()).toHaveLength(12);
  });
});

describe('within a turn, and of those who are only asked', () => {
  test('a long turn: the task is heard in every call, and each call with its result', async () => {
    const look = defineTool({
      name: 'look',
      description: 'Looks.',
      input: z.object({ n: z.number() }),
      run: ({ n }) => long(`found ${n}`),
    });
    const guide = defineAgent({ ...base, tools: [look], compaction: { summary: { over: 220, keepLast: 4, model: 'small' } } });
    let n = 0;
    const script = {
      guide: () => ((n += 1) <= 12 ? { calls: [{ name: 'look', arguments: { n } }] } : 'done'),
      small: (call: ScriptedCall) => `sum after ${/.*found (\d+)/s.exec(call.messages.at(-1)?.content ?? '')?.[1]}`,
    };
    await using world = await openWorld({ environment, agents: [guide], script, historyEvents: 40 });
    const run = await world.client.start('sequential', { agents: ['guide'], task: 'the task' });

    expect((await run.result()).output).toBe('done');

    expect(asked(world, 'small').length).toBeGreaterThan(1);
    for (const call of asked(world, 'guide')) {
      expect(call.messages.filter(({ role, content }) => role === 'user' && content === 'the task')).toHaveLength(1);
      const [calls, results] = [call.messages.flatMap(({ calls: made = [] }) => made), call.messages.filter(({ role }) => role === 'tool')];
      expect(results.map(({ callId }) => callId)).toEqual(calls.map(({ id }) => id));
    }
    // Every result was heard: as it was, or in a summary.
    const last = asked(world, 'guide').at(-1);
    expect(last?.heard('sum after')).toBe(true);
    const ids = (await run.transcript()).flatMap(({ message }) =>
      message.contents.flatMap((content) => (content.$type === 'functionCall' ? [content.callId] : [])),
    );
    expect(new Set(ids).size).toBe(12);
    expect(asked(world, 'guide').every((call) => sizeOf(call) < 500 * 4)).toBe(true);
  });

  test('a manager that chooses speakers has summaries, too', async () => {
    const boss = {
      name: 'boss',
      instructions: 'Choose.',
      model: 'boss',
      compaction: { summary: { over: 350, keepLast: 2, model: 'small' } },
    };
    const speakers = ['a', 'b'].map((name) => ({ name, instructions: 'Speak.', model: name }));
    let turn = 0;
    const script = {
      boss: () => `{"done": ${(turn += 1) > 8}, "speaker": "${turn % 2 ? 'a' : 'b'}"}`,
      a: () => long('from a'),
      b: () => long('from b'),
      small: () => 'sum',
    };
    await using world = await openWorld({ environment, script });
    const run = await world.client.start('groupChat', { agents: speakers, options: { manager: { agent: boss } }, task: 'go' } as never);

    expect((await run.result()).rounds).toBe(8);

    expect(asked(world, 'small').length).toBeGreaterThan(0);
    expect(asked(world, 'boss').at(-1)?.heard('sum')).toBe(true);
    expect((await eventsOf(run)).find(({ type }) => type === 'conversation.compacted')).toMatchObject({ agent: 'boss', by: 'summary' });
  });
});

describe('function', () => {
  test('is given what is old, and says what stands for it', async () => {
    const given: { agent: string; messages: unknown[] }[] = [];
    const condense = defineFunction<{ agent: string; messages: unknown[] }>({
      name: 'condense',
      run: (input) => {
        given.push(input);
        return [`so far: ${given.length}`, { role: 'system', contents: [{ $type: 'text', text: 'Be brief.' }] }];
      },
    });
    const guide = defineAgent({ ...base, compaction: { function: condense, over: 400, keepLast: 2 } });
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', 'function');

    await sayAll(session, 1, 9);

    expect(given.length).toBeGreaterThan(1);
    expect(given[0]).toMatchObject({ agent: 'guide' });
    expect(JSON.stringify(given[0])).toContain('m1 ');
    expect(JSON.stringify(given[1])).toContain('so far: 1');
    expect(JSON.stringify(given[1])).not.toContain('m1 ');
    const last = world.model.calls.at(-1);
    expect(last?.heard(`so far: ${given.length}`)).toBe(true);
    expect(last?.heard('so far: 1')).toBe(false);
    expect(last?.instructions).toBe('Help.\nBe brief.');
    expect(await session.transcript()).toHaveLength(18);
  });

  test('one that throws does not end the turn', async () => {
    const condense = defineFunction({
      name: 'broken',
      run: () => {
        throw new Error('out of order');
      },
    });
    const guide = defineAgent({ ...base, compaction: { function: condense, over: 400 } });
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', 'broken');

    await sayAll(session, 1, 5);

    expect((await eventsOf(session)).find(({ type }) => type === 'compaction.failed')).toMatchObject({
      by: 'function',
      failure: { type: 'Function.Failed', message: expect.stringContaining('out of order') },
    });
  });
});

describe('a conversation that is longer than the model can read', () => {
  const tooLong = { status: 400, body: { error: { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' } } };
  const upTo = (chars: number) => (call: ScriptedCall) => (sizeOf(call) > chars ? tooLong : echo(call));

  test.each([
    ['without a policy', undefined],
    ['with one that lets through too much', { keepLast: 50 }],
    ['with a budget that is too large', { tokens: 5000 }],
  ])('%s: is made half as long, once, by leaving out the oldest', async (name, compaction) => {
    const guide = defineAgent({ ...base, ...(compaction && { compaction }) });
    await using world = await openWorld({ environment, agents: [guide], script: upTo(1300) });
    const session = world.client.session('guide', `long ${name}`);

    await sayAll(session, 1, 4);

    expect(world.model.calls).toHaveLength(5);
    expect(sizeOf(world.model.calls[4])).toBeLessThanOrEqual(sizeOf(world.model.calls[3]) / 2);
    expect(wordsOf(world.model.calls[4]).at(-1)).toBe('m4');
    expect((await eventsOf(session)).filter(({ type }) => type === 'conversation.compacted')).toMatchObject([
      { by: 'dropping', reason: 'contextLength', agent: 'guide', turn: 4 },
    ]);
    expect((await session.transcript()).length).toBe(8);
  });

  test('with a summary: one is made, and the call is made again', async () => {
    const guide = defineAgent({ ...base, compaction: { summary: { over: 5000, model: 'small' } } });
    await using world = await openWorld({ environment, agents: [guide], script: { guide: upTo(1300), small: ['sum-1'] } });
    const session = world.client.session('guide', 'long summary');

    await sayAll(session, 1, 5);

    expect(asked(world, 'small')).toHaveLength(1);
    expect(asked(world, 'guide').at(-1)?.heard('sum-1')).toBe(true);
    expect((await eventsOf(session)).filter(({ type }) => type === 'conversation.compacted')).toMatchObject([
      { by: 'summary', reason: 'contextLength' },
    ]);
    world.model.assertComplete();
  });

  test.each([undefined, { keepLast: 20 }, { summary: { over: 5000 } }])('stays too long: fails as it does, %o', async (compaction) => {
    const guide = defineAgent({ ...base, ...(compaction && { compaction }) });
    await using world = await openWorld({ environment, agents: [guide], script: (call) => (sizeOf(call) > 350 ? tooLong : echo(call)) });
    const session = world.client.session('guide', `too long ${JSON.stringify(compaction ?? null)}`);
    await session.say(long('m1'));

    await expect(session.say(long('m2').repeat(2))).rejects.toMatchObject({ type: 'Model.ContextLength' });

    expect(world.model.calls.length).toBeLessThanOrEqual(5);
    expect((await session.status()).status).toBe('waiting');
  });
});

test('several hundred turns: what the model hears stays bounded, and nothing is lost', async () => {
  const guide = defineAgent({ ...base, compaction: { summary: { over: 1000, model: 'small' } } });
  await using world = await openWorld({ environment, agents: [guide], script: { guide: echo, small: () => 'sum' }, historyEvents: 1000 });
  const session = world.client.session('guide', 'hundreds');

  await sayAll(session, 1, 300);

  expect(Math.max(...world.model.calls.map(sizeOf))).toBeLessThan(1000 * 4 * 1.2);
  expect(asked(world, 'small').length).toBeLessThan(60);
  expect((await session.checkpoint()).transcript.length).toBe(600);
});
