import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import type { RunHandle } from '../../../src/client.js';
import { defineAgent, defineFunction, defineOrchestration, defineTool, textOf } from '../../../src/index.js';
import type { Condition, Json, Message, RunEvent, RunInput } from '../../../src/index.js';
import { openWorld, type ScriptLine } from '../../support/world.js';
import { eventually } from '../../support/eventually.js';
import { timeSkippingServer } from '../../support/servers.js';
import { openStage, type Actor, type Stage } from '../../support/stage.js';

/** What the function has been given each time, and what it says next. */
const asked: string[][] = [];
const verdicts: (Json | undefined | (() => Json))[] = [];
const isDone = defineFunction<{ messages: Message[] }>({
  name: 'isDone',
  run: ({ messages }) => {
    asked.push(messages.map(textOf));
    const verdict = verdicts.shift();
    return typeof verdict === 'function' ? verdict() : verdict;
  },
});
const lookUp = defineTool({
  name: 'lookUp',
  description: 'Looks something up.',
  input: z.object({ word: z.string() }),
  run: ({ word }) => {
    if (word === 'nothing') throw new Error('no such word');
    return `what ${word} is`;
  },
});
const application = { functions: [isDone], tools: [lookUp] };

let environment: TestWorkflowEnvironment;
let stage: Stage;
/** Its runs continue as new after every few events. */
let short: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, ...application });
  short = await openStage({ environment, ...application, historyEvents: 5 });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await short?.[Symbol.asyncDispose]();
  await environment?.teardown();
});
beforeEach(() => {
  asked.length = 0;
  verdicts.length = 0;
});

/** An agent that says these lines, and then `<name> 3` and so on. */
function talker(name: string, lines: ScriptLine[] = [], on = stage): Actor {
  let count = 0;
  return on.actor(
    (call) => {
      const line = lines[count++] ?? `${name} ${count}`;
      return typeof line === 'function' ? line(call) : line;
    },
    { name, tools: lines.some((line) => typeof line === 'object' && 'calls' in line) ? ['lookUp'] : [] },
  );
}
const calling = (word: string): ScriptLine => ({ calls: [{ name: 'lookUp', arguments: { word } }] });
const using = (inputTokens: number, outputTokens: number, text = 'words'): ScriptLine => ({ text, usage: { inputTokens, outputTokens } });

const chat = async (
  termination: Condition,
  actors: Actor[],
  { on = stage, ...more }: Partial<RunInput<'groupChat'>> & { on?: Stage } = {},
) => await on.world.client.start('groupChat', { agents: actors.map(({ agent }) => agent), termination, task: 'tea', ...more });

const spoken = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message));
async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  return events;
}
const isAsked = async (run: RunHandle) => {
  for await (const { type } of run.watch()) if (type === 'request.opened') return;
};
const met = (...types: Condition['type'][]) => ({
  status: 'completed',
  stopReason: { code: 'condition', conditions: types.map((type) => expect.objectContaining({ type }) as object) },
});
/** A line that is said when it is released. */
function held(text: string): { line: ScriptLine; release: () => void } {
  let release: () => void = () => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  return { line: async () => (await released, text), release };
}

describe('maxMessages', () => {
  test('counts what is said, the task too, and no tool traffic', async () => {
    const run = await chat({ type: 'maxMessages', max: 3 }, [talker('ann', [calling('tea'), 'a plant']), talker('ben')]);

    expect(await run.result()).toMatchObject({ ...met('maxMessages'), output: 'ben 1', rounds: 2 });
    expect((await run.result()).stopReason.message).toContain('3 messages were said');
  });

  test('of a task that is enough ends the run at once, and the task is kept', async () => {
    const ann = talker('ann');

    const run = await chat({ type: 'maxMessages', max: 1 }, [ann]);

    expect(await run.result()).toMatchObject({ ...met('maxMessages'), output: null, rounds: 0 });
    expect(ann.calls).toEqual([]);
    expect(await spoken(run)).toEqual(['tea']);
    const events = (await eventsOf(run)).map(({ type }) => type);
    expect(events).toEqual(['run.started', 'message.received', 'condition.met', 'run.finished']);
  });

  test('hears parallel members once each, whoever comes first, and they all end', async () => {
    const actors = ['ann', 'ben', 'cat'].map((name) => talker(name));
    const start = async (max: number) =>
      await stage.world.client.start('concurrent', {
        agents: actors.map(({ agent }) => agent),
        termination: { type: 'maxMessages', max },
        task: 'tea',
      });

    const enough = await start(3);
    expect(await enough.result()).toMatchObject({ ...met('maxMessages'), rounds: 3 });
    const fewer = await start(5);
    expect(await fewer.result()).toMatchObject({ stopReason: { code: 'completed' }, rounds: 3 });
  });

  test('counts nothing of an earlier run whose conversation this one goes on with', async () => {
    const ann = talker('ann');
    const termination = { type: 'maxMessages', max: 3 } as const;
    const first = await chat(termination, [ann]);
    expect(await first.result()).toMatchObject({ ...met('maxMessages'), rounds: 2 });

    const second = await chat(termination, [ann], { conversation: first.id, task: 'and coffee?' });

    expect(await second.result()).toMatchObject({ ...met('maxMessages'), rounds: 2, output: 'ann 4' });
    expect(await spoken(second)).toHaveLength(6);
  });
});

describe('maxTurns', () => {
  test('counts turns of agents that have ended', async () => {
    const run = await chat({ type: 'maxTurns', max: 2 }, [talker('ann', [calling('tea'), 'a plant']), talker('ben')]);

    expect(await run.result()).toMatchObject({ ...met('maxTurns'), output: 'ben 1', rounds: 2 });
  });

  test('gives way to whatever ends the run before', async () => {
    const limited = await chat({ type: 'maxTurns', max: 3 }, [talker('ann')], { limits: { turns: 2 } });
    expect(await limited.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' } });

    const done = await chat({ type: 'maxTurns', max: 3 }, [talker('ann')], { options: { maxRounds: 2 } });
    expect(await done.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.rounds' } });
  });
});

describe('textMention', () => {
  const mention = (more: object = {}): Condition => ({ type: 'textMention', text: 'APPROVED', ...more });

  test('is met by an agent, not by the task', async () => {
    const run = await chat(mention(), [talker('ann'), talker('ben', ['no', 'It is APPROVED.'])], { task: 'Talk until one says APPROVED.' });

    expect(await run.result()).toMatchObject({ ...met('textMention'), output: 'It is APPROVED.', rounds: 4 });
    const { message, conditions } = (await run.result()).stopReason;
    expect(message).toBe('Text "APPROVED" was mentioned by ben.');
    expect(conditions).toEqual([{ path: '', type: 'textMention', reason: message, turn: 4, at: expect.any(String) as string }]);
  });

  test('only by those who are named', async () => {
    const actors = () => [talker('ann', ['APPROVED', 'APPROVED again']), talker('ben', ['no', 'APPROVED at last'])];

    const run = await chat(mention({ sources: ['ben'] }), actors());

    expect(await run.result()).toMatchObject({ ...met('textMention'), output: 'APPROVED at last', rounds: 4 });
  });

  test('by the task where it is meant, and capitals where they are not', async () => {
    const atOnce = await chat(mention({ includeTask: true }), [talker('ann')], { task: 'APPROVED' });
    expect(await atOnce.result()).toMatchObject({ ...met('textMention'), output: null, rounds: 0 });

    const small = await chat(mention({ caseSensitive: false }), [talker('ann', ['approved'])]);
    expect(await small.result()).toMatchObject({ ...met('textMention'), rounds: 1 });

    const exact = await chat(mention(), [talker('ann', ['approved'])], { options: { maxRounds: 1 } });
    expect(await exact.result()).toMatchObject({ stopReason: { code: 'limit.rounds' } });
  });

  test('not by what an agent says to its tools', async () => {
    const ann = talker('ann', [calling('APPROVED'), 'found']);

    const run = await chat(mention(), [ann], { options: { maxRounds: 1 } });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.rounds' } });
  });

  test('leaves the output in the form that was asked for', async () => {
    const run = await chat(mention(), [talker('ann', ['{"verdict": "APPROVED"}'])], {
      output: { schema: { type: 'object', required: ['verdict'] } },
    });

    expect(await run.result()).toMatchObject({ ...met('textMention'), output: { verdict: 'APPROVED' } });
  });
});

describe('stopMessage', () => {
  test('is met by an agent that says that the task is done', async () => {
    const ann = stage.actor([{ text: 'here it is', calls: [{ name: 'complete_task', arguments: { summary: 'done' } }] }], { name: 'ann' });

    const run = await stage.world.client.start('handoff', {
      agents: [ann.agent, talker('ben').agent],
      termination: { type: 'stopMessage' },
      task: 'tea',
    });

    expect(await run.result()).toMatchObject({ ...met('stopMessage'), output: 'here it is' });
  });

  test('is met by a message that asks for it', async () => {
    const task = { role: 'user', contents: [{ $type: 'text', text: 'tea' }], stop: true } as unknown as Message;

    const run = await chat({ type: 'stopMessage' }, [talker('ann')], { task });

    expect(await run.result()).toMatchObject({ ...met('stopMessage'), output: null });
  });

  test('ends a session at the message that asks for it', async () => {
    const ann = talker('ann');
    const run = await stage.world.client.start('session', { agents: [ann.agent], termination: { type: 'stopMessage' } });
    await run.say('hello');

    await run.send({ role: 'user', contents: [{ $type: 'text', text: 'goodbye' }], stop: true } as unknown as Message);

    expect(await run.result()).toMatchObject({ ...met('stopMessage'), output: 'ann 1' });
    expect(ann.calls).toHaveLength(1);
    expect(await spoken(run)).toEqual(['hello', 'ann 1', 'goodbye']);
  });
});

test('handoffTo ends the run before whoever was handed over to speaks', async () => {
  const ann = stage.actor([{ text: 'ask ben', calls: [{ name: 'transfer_to_ben', arguments: {} }] }], { name: 'ann' });
  const ben = talker('ben');

  const run = await stage.world.client.start('handoff', {
    agents: [ann.agent, ben.agent],
    termination: { type: 'handoffTo', target: 'ben' },
    task: 'tea',
  });

  expect(await run.result()).toMatchObject({ ...met('handoffTo'), output: 'ask ben', rounds: 1 });
  expect(ben.calls).toEqual([]);
});

describe('functionCall', () => {
  test.each(['tea', 'nothing'])('is met by a call that has a result (%s), after the turn', async (word) => {
    const ann = talker('ann', [calling(word), 'found']);

    const run = await chat({ type: 'functionCall', name: 'lookUp' }, [ann, talker('ben')]);

    expect(await run.result()).toMatchObject({ ...met('functionCall'), output: 'found', rounds: 1 });
  });

  test('is not met by another', async () => {
    const run = await chat({ type: 'functionCall', name: 'other' }, [talker('ann', [calling('tea'), 'found'])], {
      options: { maxRounds: 1 },
    });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.rounds' } });
  });
});

test('textMessage is met by a reply in words, of anybody or of the one that is named', async () => {
  const anybody = await chat({ type: 'textMessage' }, [talker('ann', [calling('tea'), 'found']), talker('ben')]);
  expect(await anybody.result()).toMatchObject({ ...met('textMessage'), output: 'found' });

  const one = await chat({ type: 'textMessage', source: 'ben' }, [talker('ann'), talker('ben')]);
  expect(await one.result()).toMatchObject({ ...met('textMessage'), output: 'ben 1', rounds: 2 });
});

test('source is met when one of those who are named has spoken, a person too', async () => {
  const agents = await chat({ type: 'source', sources: ['zoe', 'ben'] }, [talker('ann'), talker('ben'), talker('cat')]);
  expect(await agents.result()).toMatchObject({ ...met('source'), output: 'ben 1', rounds: 2 });

  const person = await chat({ type: 'source', sources: ['eva'] }, [talker('ann')], { options: { person: true } });
  await isAsked(person);
  await person.respond('words-1', 'that will do', { by: 'eva' });
  expect(await person.result()).toMatchObject({ ...met('source'), output: 'ann 1', rounds: 1 });
});

describe('tokenUsage', () => {
  test.each<[string, object, number]>([
    ['in total', { total: 30 }, 2],
    ['of input', { input: 30 }, 3],
    ['of output', { output: 15 }, 3],
    ['whichever is reached first', { input: 10, output: 1000 }, 1],
  ])('counts tokens %s', async (_, most, rounds) => {
    const run = await chat({ type: 'tokenUsage', ...most }, [
      talker(
        'ann',
        Array.from({ length: 5 }, () => using(10, 5)),
      ),
    ]);

    expect(await run.result()).toMatchObject({ ...met('tokenUsage'), rounds });
  });

  test('counts those of the manager, and ends the run before another turn', async () => {
    const boss = stage.actor([using(10, 1, '{"done": false, "speaker": "ann"}'), using(100, 1, '{"done": false, "speaker": "ben"}')], {
      name: 'chair',
    });
    const ben = talker('ben');

    const run = await chat({ type: 'tokenUsage', input: 100 }, [talker('ann', [using(10, 1)]), ben], {
      options: { manager: { agent: boss.agent } },
    });

    expect(await run.result()).toMatchObject({ ...met('tokenUsage'), output: 'words', rounds: 1, usage: { inputTokens: 120 } });
    expect(ben.calls).toEqual([]);
  });
});

describe('timeout', () => {
  test('interrupts a run that waits for a person, and needs no answer any more', async () => {
    const run = await chat({ type: 'timeout', after: '2 hours' }, [talker('ann')], { options: { person: true } });
    await isAsked(run);

    expect(await run.result()).toMatchObject({ ...met('timeout'), output: 'ann 1', rounds: 1 });
    expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
    const { startedAt } = await run.status();
    const [fired] = (await run.result()).stopReason.conditions ?? [];
    const lasted = Date.parse(fired?.at ?? '') - Date.parse(startedAt);
    expect(lasted).toBeGreaterThanOrEqual(2 * 3600_000);
    expect(lasted).toBeLessThan(3 * 3600_000);
  });

  test('lets a turn in flight end, and keeps what it has said', async () => {
    const { line, release } = held('the last word');
    const ann = talker('ann', [line]);
    const run = await chat({ type: 'timeout', after: 200 }, [ann]);
    await eventually(async () => {
      const { history } = { history: await environment.client.workflow.getHandle(run.id).fetchHistory() };
      expect(history.events?.some(({ timerFiredEventAttributes }) => timerFiredEventAttributes)).toBe(true);
    });
    release();

    const result = await run.result();

    expect(result).toMatchObject(met('timeout'));
    // On a machine so slow that the time was over before the turn began nothing was said.
    expect(result.output).toBe(ann.calls.length > 0 ? 'the last word' : null);
  });

  test('is measured from the start of the run, however often it continues as new', async () => {
    await using roomy = await openStage({ environment, historyEvents: 20 });
    const ann = talker('ann', [], roomy);
    const run = await chat({ type: 'timeout', after: '1 day' }, [ann], {
      on: roomy,
      options: { maxRounds: 1000, person: { timeout: '1 hour', onTimeout: 'continue' } },
    });

    expect(await run.result()).toMatchObject({ ...met('timeout'), rounds: 24 });
    expect((await run.checkpoint()).continuations).toBeGreaterThan(5);
  });

  test('is one of several that have to be met: it stays met', async () => {
    const run = await chat(
      {
        type: 'and',
        conditions: [
          { type: 'timeout', after: '90 minutes' },
          { type: 'maxTurns', max: 4 },
        ],
      },
      [talker('ann')],
      { options: { person: { timeout: '1 hour', onTimeout: 'continue' } } },
    );

    expect(await run.result()).toMatchObject({ ...met('timeout', 'maxTurns'), rounds: 4 });
  });
});

describe('external', () => {
  const external: Condition = { type: 'external' };

  test.each(['update', 'signal'] as const)('is met by %s, after the turn in flight', async (way) => {
    const { line, release } = held('the last word');
    const [ann, ben] = [talker('ann', [line]), talker('ben')];
    const run = await chat(external, [ann, ben]);
    await eventually(() => expect(ann.calls).toHaveLength(1));

    if (way === 'update') expect(await run.stop({ reason: 'lunch' })).toEqual({ status: 'stopping' });
    else await environment.client.workflow.getHandle(run.id).signal('stop', { reason: 'lunch' });
    release();

    expect(await run.result()).toMatchObject({ ...met('external'), output: 'the last word', rounds: 1 });
    expect((await run.result()).stopReason.message).toBe('Somebody asked from outside to stop: "lunch".');
    expect(ben.calls).toEqual([]);
  });

  test('ends a wait for a person at once; asked again after that, there is nothing to stop', async () => {
    const run = await chat(external, [talker('ann')], { options: { person: true } });
    await isAsked(run);

    await run.stop();

    expect(await run.result()).toMatchObject({ ...met('external'), output: 'ann 1' });
    expect(await run.stop({ reason: 'again' })).toEqual({ status: 'completed' });
    expect(await run.cancel()).toEqual({ status: 'completed' });
  });

  test('is refused where there is none, by update and by signal', async () => {
    const run = await chat({ type: 'maxTurns', max: 2 }, [talker('ann')], { options: { person: true } });
    await isAsked(run);

    await expect(run.stop()).rejects.toMatchObject({ type: 'Input.Invalid', message: expect.stringContaining('"external"') as string });
    await environment.client.workflow.getHandle(run.id).signal('stop', {});
    await run.respond('words-1', 'go on');

    expect(await run.result()).toMatchObject({ ...met('maxTurns'), rounds: 2 });
    expect((await eventsOf(run)).filter(({ type }) => type === 'input.refused')).toMatchObject([{ handler: 'stop' }]);
  });

  test.each(['now', 7, { reason: 7 }])('%j is not a stop', async (input) => {
    const run = await chat(external, [talker('ann')], { options: { person: true } });
    await isAsked(run);
    const handle = environment.client.workflow.getHandle(run.id);

    await expect(handle.executeUpdate('stop', { args: [input] })).rejects.toMatchObject({ cause: { type: 'Input.Invalid' } });

    await run.stop();
    expect(await run.result()).toMatchObject(met('external'));
  });

  test('is kept when it comes before the run has begun, and the task is not lost', async () => {
    const agents = [{ name: 'ann', instructions: 'Speak.' }];
    await using world = await openWorld({ environment, script: [] });
    await world.worker.stop();
    const start = async (termination: Condition) => {
      const run = await world.client.start('groupChat', { agents, termination, task: 'tea', options: { person: true } });
      await environment.client.workflow.getHandle(run.id).signal('stop', { reason: 'too late' });
      return run;
    };
    const runs = [await start(external), await start({ type: 'maxMessages', max: 1 })] as const;
    await world.startWorker();

    expect(await runs[0].result()).toMatchObject({ ...met('external'), output: null, rounds: 0 });
    expect(await spoken(runs[0])).toEqual(['tea']);
    expect(await runs[1].result()).toMatchObject(met('maxMessages'));
    expect((await eventsOf(runs[1])).map(({ type }) => type)).toContain('input.refused');
  });

  test('is remembered until all that is needed is met', async () => {
    const { line, release } = held('ann 1');
    const ann = talker('ann', [line]);
    const run = await chat({ type: 'and', conditions: [external, { type: 'maxTurns', max: 3 }] }, [ann]);
    await eventually(() => expect(ann.calls).toHaveLength(1));

    expect(await run.stop()).toEqual({ status: 'running' });
    release();

    expect(await run.result()).toMatchObject({ ...met('external', 'maxTurns'), rounds: 3 });
  });
});

describe('custom', () => {
  const custom: Condition = { type: 'custom', function: 'isDone' };

  test('asks a function after the task and after each turn, with what is new', async () => {
    verdicts.push(false, { stop: false }, { stop: true, reason: 'Ben has the answer.' });

    const run = await chat(custom, [talker('ann', [calling('tea'), 'found']), talker('ben')]);

    expect(await run.result()).toMatchObject({ ...met('custom'), output: 'ben 1', rounds: 2 });
    expect((await run.result()).stopReason.message).toBe('Ben has the answer.');
    expect(asked).toEqual([['tea'], ['found'], ['ben 1']]);
  });

  test('asks it again after what a person says', async () => {
    verdicts.push(false, false, true);
    const run = await chat(custom, [talker('ann')], { options: { person: true } });
    await isAsked(run);
    await run.respond('words-1', 'that will do');

    expect(await run.result()).toMatchObject({ ...met('custom'), output: 'ann 1', rounds: 1 });
    expect(asked).toEqual([['tea'], ['ann 1'], ['that will do']]);
  });

  test('that is met by the task ends the run at once', async () => {
    verdicts.push(true);
    const ann = talker('ann');

    const run = await chat(custom, [ann]);

    expect(await run.result()).toMatchObject({ ...met('custom'), output: null, rounds: 0 });
    expect((await run.result()).stopReason.message).toContain('isDone');
    expect(ann.calls).toEqual([]);
  });

  test.each<[string, (typeof verdicts)[number]]>([
    [
      'throws',
      () => {
        throw new Error('the scales are broken');
      },
    ],
    ['returns a word', 'yes'],
    ['returns a number', 1],
    ['returns nothing', undefined],
    ['returns a list', [true]],
    ['returns another form', { done: true }],
  ])('and %s fails the run, by its name, and what was said stays readable', async (_, verdict) => {
    verdicts.push(false, verdict);

    const run = await chat(custom, [talker('ann')]);

    await expect(run.result()).rejects.toMatchObject({ type: 'Function.Failed', message: expect.stringContaining('isDone') as string });
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Function.Failed' } });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
  });

  test('is not asked any more once it is met, or once its tree is', async () => {
    verdicts.push(true);
    const both = await chat({ type: 'and', conditions: [custom, { type: 'maxTurns', max: 3 }] }, [talker('ann')]);
    expect(await both.result()).toMatchObject({ ...met('custom', 'maxTurns'), rounds: 3 });
    expect(asked).toEqual([['tea']]);

    verdicts.push(false);
    const either = await chat({ type: 'or', conditions: [custom, { type: 'maxTurns', max: 1 }] }, [talker('ann')]);
    expect(await either.result()).toMatchObject({ ...met('maxTurns'), rounds: 1 });
    expect(asked).toEqual([['tea'], ['tea']]);
  });

  test('is told of parallel members once, when all of them have ended', async () => {
    verdicts.push(false, true);
    const actors = [talker('ann'), talker('ben')];

    const run = await stage.world.client.start('concurrent', {
      agents: actors.map(({ agent }) => agent),
      termination: custom,
      task: 'tea',
    });

    expect(await run.result()).toMatchObject(met('custom'));
    expect(asked.map((messages) => messages.sort())).toEqual([['tea'], ['ann 1', 'ben 1']]);
  });

  test('is known to the worker, or the run does not begin', async () => {
    const run = await chat({ type: 'or', conditions: [{ type: 'external' }, { type: 'custom', function: 'isDun' }] }, [talker('ann')]);

    await expect(run.result()).rejects.toMatchObject({
      type: 'Input.UnknownAgent',
      message: expect.stringContaining('termination.conditions[1].function') as string,
    });
  });
});

describe('a tree of conditions', () => {
  const approved: Condition = { type: 'textMention', text: 'APPROVED' };

  test('names every one that counts, by its place', async () => {
    const run = await chat(
      {
        type: 'or',
        conditions: [
          { type: 'maxTurns', max: 9 },
          { type: 'and', conditions: [approved, { type: 'maxMessages', max: 4 }] },
          { type: 'source', sources: ['cat'] },
        ],
      },
      [talker('ann', ['APPROVED']), talker('ben'), talker('cat')],
    );

    const { stopReason, rounds } = await run.result();

    expect(rounds).toBe(3);
    expect(stopReason.conditions?.map(({ path, turn }) => `${path} ${turn}`)).toEqual([
      'conditions[1].conditions[0] 1',
      'conditions[1].conditions[1] 3',
      'conditions[2] 3',
    ]);
    const [event, ...others] = (await eventsOf(run)).filter(({ type }) => type === 'condition.met');
    expect(event).toMatchObject({ conditions: stopReason.conditions });
    expect(others).toEqual([]);
  });

  test('remembers across continue-as-new what was met long ago', async () => {
    const run = await chat(
      { type: 'and', conditions: [approved, { type: 'maxMessages', max: 6 }, { type: 'functionCall', name: 'lookUp' }] },
      [talker('ann', [calling('tea'), 'APPROVED'], short), talker('ben', [], short)],
      { on: short },
    );

    expect(await run.result()).toMatchObject({ ...met('textMention', 'maxMessages', 'functionCall'), rounds: 5, output: 'ann 4' });
    expect((await run.checkpoint()).continuations).toBeGreaterThan(4);
  });

  test('is the same in the hands of another worker', async () => {
    await using world = await openWorld({
      environment,
      script: Array.from({ length: 9 }, (_, i) => `reply ${i + 1}`),
      config: { worker: { maxCachedWorkflows: 0 } },
    });
    const run = await world.client.start('groupChat', {
      agents: [{ name: 'ann', instructions: 'Speak.' }],
      options: { person: { after: ['ann'] } },
      termination: {
        type: 'or',
        conditions: [
          {
            type: 'and',
            conditions: [
              { type: 'textMention', text: 'reply 1' },
              { type: 'maxMessages', max: 4 },
            ],
          },
        ],
      },
      task: 'tea',
    });
    await isAsked(run);
    await world.worker.stop();
    await world.startWorker();
    await environment.client.workflow.getHandle(run.id).signal('respond', { requestId: 'words-1', response: 'go on' });

    expect(await run.result()).toMatchObject({ ...met('textMention', 'maxMessages'), rounds: 2, output: 'reply 2' });
  });

  test('belongs to its run: several of one definition, side by side and one after another, know nothing of each other', async () => {
    const ann = defineAgent({ name: 'ann', instructions: 'Speak.' });
    const talk = defineOrchestration({
      name: 'talk',
      pattern: 'groupChat',
      agents: [ann],
      termination: { type: 'or', conditions: [{ type: 'maxMessages', max: 4 }, { type: 'external' }] },
    });
    const { line, release } = held('I am late');
    let calls = 0;
    await using world = await openWorld({
      environment,
      orchestrations: [talk],
      script: (call) => (call.heard('wait') && (calls += 1) === 1 ? (line as () => Promise<string>)() : 'words'),
    });
    const waiting = await world.client.start(talk, { task: 'wait' });
    await world.model.called(1);
    await waiting.stop();

    const runs = await Promise.all([1, 2, 3].map(() => world.client.start(talk, { task: 'tea' })));
    for (const run of runs) expect(await run.result()).toMatchObject({ ...met('maxMessages'), rounds: 3 });
    release();

    expect(await waiting.result()).toMatchObject({ ...met('external'), rounds: 1, output: 'I am late' });
  });

  test('of a member that is an orchestration ends that one and not the other', async () => {
    const [ann, ida] = [talker('ann'), talker('ida')];

    const run = await stage.world.client.start('sequential', {
      agents: [{ name: 'panel', pattern: 'groupChat', agents: [ida.agent], termination: { type: 'maxTurns', max: 2 } }, ann.agent],
      termination: { type: 'maxTurns', max: 3 },
      task: 'tea',
    });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'ann 1', rounds: 2 });
    expect(ida.calls).toHaveLength(2);
    expect(ann.calls[0]?.heard('panel', 'ida 2')).toBe(true);
  });
});

test('a turn in flight ends, and is kept, also when the run continues as new after it was asked to stop', async () => {
  const { line, release } = held('unused');
  const first: ScriptLine = async (call) => {
    await (line as (asked: typeof call) => Promise<string>)(call);
    return { calls: [{ name: 'lookUp', arguments: { word: 'tea' } }] };
  };
  const ann = short.actor([first, calling('milk'), calling('sugar'), 'all found'], { name: 'ann', tools: ['lookUp'] });
  const run = await chat({ type: 'external' }, [ann], { on: short });
  await eventually(() => expect(ann.calls).toHaveLength(1));
  await environment.client.workflow.getHandle(run.id).signal('stop', {});
  release();

  expect(await run.result()).toMatchObject({ ...met('external'), output: 'all found', rounds: 1 });
  expect(ann.calls).toHaveLength(4);
  expect((await run.checkpoint()).continuations).toBeGreaterThan(1);
});
