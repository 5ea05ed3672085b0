import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { z } from 'zod';
import type { RunHandle } from '../../src/client.js';
import { defineFunction, defineTool, textOf, type Json, type PatternOptions, type RunEvent, type RunInput } from '../../src/index.js';
import type { ScriptedCall } from '../../src/testing/index.js';
import { timeSkippingServer } from '../support/servers.js';
import { openStage, type Actor, type Stage } from '../support/stage.js';

/** What functions were given, and what they return next: a value, or a function that makes it. */
const given: { [name: string]: { round: number; previous: string; candidates?: string[]; text?: string; said: string[] }[] } = {};
const returns: { [name: string]: (Json | undefined | (() => Json))[] } = {};

const scripted = (name: string) =>
  defineFunction<{ round: number; previous: string; candidates?: string[]; text?: string }>({
    name,
    run: async (input, { messages }) => {
      const { messages: _, ...others } = input as typeof input & { messages?: unknown };
      (given[name] ??= []).push({ ...others, said: (await messages()).map(textOf) });
      const next = returns[name]?.shift();
      return typeof next === 'function' ? next() : next;
    },
  });
const boom = () => {
  throw new Error('the dice are gone');
};
const search = defineTool({
  name: 'search',
  description: 'Searches.',
  input: z.object({ query: z.string() }),
  run: ({ query }) => `a page on ${query}`,
});
const application = { functions: ['choose', 'isOver', 'minutes'].map(scripted), tools: [search] };

let environment: TestWorkflowEnvironment;
let stage: Stage;
let short: Stage;
/** A run that waits continues as new too, over and over, unless it has room for the wait itself. */
let roomy: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, ...application });
  short = await openStage({ environment, ...application, historyEvents: 5 });
  roomy = await openStage({ environment, ...application, historyEvents: 20 });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await short?.[Symbol.asyncDispose]();
  await roomy?.[Symbol.asyncDispose]();
  await environment?.teardown();
});
beforeEach(() => {
  for (const name of ['choose', 'isOver', 'minutes']) {
    given[name] = [];
    returns[name] = [];
  }
});

/** An agent that says `<name> 1`, `<name> 2` and so on. */
function talker(name: string, on = stage, definition = {}): Actor {
  let count = 0;
  return on.actor(() => `${name} ${(count += 1)}`, { name, description: `Knows ${name}.`, ...definition });
}

/** A manager with these answers. */
const manager = (answers: (Json | string)[], on = stage) =>
  on.actor(
    answers.map((answer) => (typeof answer === 'string' ? answer : JSON.stringify(answer))),
    { name: 'chair', instructions: 'You lead.' },
  );
const next = (speaker: string, reason?: string) => ({ done: false, speaker, ...(reason && { reason }) });
const over = { done: true };

type Options = PatternOptions['groupChat'];
const start = async (actors: Actor[], options: Options, { on = stage, ...more }: Partial<RunInput<'groupChat'>> & { on?: Stage } = {}) =>
  await on.world.client.start('groupChat', { agents: actors.map(({ agent }) => agent), options, task: 'tea', ...more });

const spoken = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message));
const heardBy = ({ messages }: ScriptedCall) => messages.slice(1).map(({ content }) => content);
const question = (call: ScriptedCall | undefined) => String(call?.messages.at(-1)?.content);
async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events = [];
  for await (const event of run.watch({ onIdle: async () => true })) events.push(event);
  return events;
}
type Chosen = Extract<RunEvent, { type: 'speaker.chosen' }>;
const chosenIn = async (run: RunHandle) =>
  (await eventsOf(run)).filter((event): event is Chosen => event.type === 'speaker.chosen').map(({ speaker, by }) => `${speaker} by ${by}`);
/** Waits by the log: a query that meets a run on its way to continue as new is lost on this server. */
async function asks(run: RunHandle, id: string) {
  for await (const event of run.watch()) if (event.type === 'request.opened' && event.requestId === id) return event;
  throw new Error(`Nobody was asked "${id}".`);
}
const answer = async (run: RunHandle, requestId: string, response: Json) =>
  await environment.client.workflow.getHandle(run.id).signal('respond', { requestId, response });

describe('round robin', () => {
  test('everybody speaks in turn and hears all that was said, until the rounds are used up', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];

    const run = await start([a, b, c], { maxRounds: 4 });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.rounds' },
      output: 'ann 2',
      rounds: 4,
      usage: { modelCalls: 4 },
    });
    expect(await spoken(run)).toEqual(['tea', 'ann 1', 'ben 1', 'cat 1', 'ann 2']);
    expect(heardBy(a.calls[0]!)).toEqual(['tea']);
    expect(heardBy(c.calls[0]!)).toEqual(['tea', '[ann]\nann 1', '[ben]\nben 1']);
    expect(heardBy(a.calls[1]!)).toEqual(['tea', 'ann 1', '[ben]\nben 1', '[cat]\ncat 1']);
    expect(await chosenIn(run)).toEqual(['ann by roundRobin', 'ben by roundRobin', 'cat by roundRobin', 'ann by roundRobin']);
  });

  test('so many rounds are so many turns, exactly', async () => {
    for (const maxRounds of [1, 2]) {
      const [a, b] = [talker('ann'), talker('ben')];

      const run = await start([a, b], { manager: 'roundRobin', maxRounds });

      expect(await run.result()).toMatchObject({ rounds: maxRounds, stopReason: { code: 'limit.rounds' } });
      expect(a.calls.length + b.calls.length).toBe(maxRounds);
    }
  });

  test('is twenty rounds where nobody says how many', async () => {
    const a = talker('ann');

    const run = await start([a], {});

    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.rounds' }, output: 'ann 20', rounds: 20 });
  });

  test('what one does with its tools is not heard by the others, nor by the manager', async () => {
    const a = stage.actor([{ text: 'let me see', calls: [{ name: 'search', arguments: { query: 'tea' } }] }, 'found it'], {
      name: 'ann',
      tools: ['search'],
    });
    const b = talker('ben');
    const boss = manager([next('ann'), next('ben'), over]);

    const run = await start([a, b], { manager: { agent: boss.agent } });
    await run.result();

    expect(heardBy(a.calls[1]!).at(-1)).toBe('a page on tea');
    expect(heardBy(b.calls[0]!)).toEqual(['tea', '[ann]\nfound it']);
    expect(heardBy(boss.calls[2]!).slice(0, -1)).toEqual(['tea', '[ann]\nfound it', '[ben]\nben 1']);
  });

  test('several runs of the same definition each begin at the beginning', async () => {
    const [a, b] = [talker('ann'), talker('ben')];

    const runs = await Promise.all([1, 2, 3].map(() => start([a, b], { maxRounds: 1 })));

    for (const run of runs) {
      expect(await run.result()).toMatchObject({ rounds: 1 });
      expect((await run.transcript()).map(({ message }) => message.authorName)).toEqual([undefined, 'ann']);
    }
  });
});

describe('an agent as manager', () => {
  test('chooses among the others until it says that they are done', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    const boss = manager([next('cat', 'she knows'), next('ann'), next('cat'), over]);

    const run = await start([a, b, c], { manager: { agent: boss.agent } });

    expect(await run.result()).toMatchObject({
      status: 'completed',
      stopReason: { code: 'completed' },
      output: 'cat 2',
      rounds: 3,
      usage: { modelCalls: 7 },
    });
    expect(await spoken(run)).toEqual(['tea', 'cat 1', 'ann 1', 'cat 2']);
    expect(b.calls).toEqual([]);
    const candidates = boss.calls.map((call) => [...question(call).matchAll(/^- (\w+): Knows \w+\.$/gm)].map(([, name]) => name));
    expect(candidates).toEqual([
      ['ann', 'ben', 'cat'],
      ['ann', 'ben'],
      ['ben', 'cat'],
      ['ann', 'ben'],
    ]);
    const [first] = (await eventsOf(run)).filter(({ type }) => type === 'speaker.chosen');
    expect(first).toMatchObject({ speaker: 'cat', by: 'manager', reason: 'she knows' });
  });

  test('hears everything, and what it is asked and says is in nobody’s conversation', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const boss = manager([next('ann', 'because I say so'), next('ben'), over]);

    const run = await start([a, b], { manager: { agent: boss.agent } });
    await run.result();

    expect(boss.calls.map((call) => heardBy(call).slice(0, -1))).toEqual([
      ['tea'],
      ['tea', '[ann]\nann 1'],
      ['tea', '[ann]\nann 1', '[ben]\nben 1'],
    ]);
    expect(boss.calls[0]?.instructions).toBe('You lead.');
    for (const call of [...a.calls, ...b.calls])
      expect(JSON.stringify(call.messages)).not.toMatch(/because I say so|who speaks next|done/i);
    expect(await spoken(run)).toEqual(['tea', 'ann 1', 'ben 1']);
  });

  test('may let the same one speak again where that is allowed', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const boss = manager([next('ann'), next('ann'), over]);

    const run = await start([a, b], { manager: { agent: boss.agent, allowRepeat: true } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ann 2' });
    expect(question(boss.calls[1])).toMatch(/- ann: [^]*- ben: /);
  });

  test('that names whoever has just spoken, or nobody of the team, is told so and asked again', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    const boss = manager([next('ann'), next('ann'), next('zoe'), next('ben'), 'I think we are done.', over]);

    const run = await start([a, b, c], { manager: { agent: boss.agent } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ben 1', rounds: 2 });
    expect(boss.calls).toHaveLength(6);
    expect(question(boss.calls[2])).toContain('That cannot be used');
    expect(question(boss.calls[3])).toMatch(/speaker[^]*"ben"[^]*"cat"/);
    const refused = (await eventsOf(run)).filter(({ type }) => type === 'decision.refused');
    expect(refused).toHaveLength(3);
    expect(refused[0]).toMatchObject({ by: 'chair', reason: expect.stringContaining('speaker') as string });
  });

  test.each([
    ['roundRobin', undefined, 'ben 1'],
    ['roundRobin', 'roundRobin', 'ben 1'],
    ['first', 'first', 'ann 2'],
  ] as const)('that never names one is asked three times, then it goes by %s', async (_, fallback, output) => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    const nobody = ['hm', next('zoe'), { speaker: 'ben' }];
    const first = fallback === 'first' ? [next('ann'), next('ben'), ...nobody] : [next('ann'), ...nobody];
    const boss = manager([...first, over]);

    const run = await start([a, b, c], { manager: { agent: boss.agent, ...(fallback && { fallback }) } });

    expect(await run.result()).toMatchObject({ status: 'completed', output });
    expect((await chosenIn(run)).at(-1)).toBe(`${output.split(' ')[0]} by fallback`);
  });

  test('that never names one fails the run where that is wanted', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const boss = manager([next('zoe')]);

    const run = await start([a, b], { manager: { agent: boss.agent, attempts: 1, fallback: 'fail' } });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Manager.Failed',
      message: expect.stringMatching(/chair.*ann, ben/) as string,
    });
    expect(boss.calls).toHaveLength(1);
    expect(await spoken(run)).toEqual(['tea']);
  });

  test('is not asked where only one can be next: two that may not end alternate by themselves', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const boss = manager([{ speaker: 'ben' }]);

    const run = await start([a, b], { manager: { agent: boss.agent, mayEnd: false }, maxRounds: 5 });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.rounds' }, rounds: 5 });
    expect(await spoken(run)).toEqual(['tea', 'ben 1', 'ann 1', 'ben 2', 'ann 2', 'ben 3']);
    // Only who begins is a question.
    expect(boss.calls).toHaveLength(1);
  });

  test('of a single member is asked only whether it is over', async () => {
    const a = talker('ann');
    const boss = manager([next('ann'), next('ann'), over]);
    const run = await start([a], { manager: { agent: boss.agent } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ann 2' });

    const alone = talker('ann');
    const idle = manager([]);
    const other = await start([alone], { manager: { agent: idle.agent, mayEnd: false }, maxRounds: 2 });
    expect(await other.result()).toMatchObject({ output: 'ann 2', stopReason: { code: 'limit.rounds' } });
    expect(idle.calls).toEqual([]);
  });

  test('that may not end the chat is not offered to', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    const boss = manager([{ done: true, speaker: 'ann' }, over, { speaker: 'ben' }]);

    const run = await start([a, b, c], { manager: { agent: boss.agent, mayEnd: false }, maxRounds: 2 });

    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.rounds' }, output: 'ben 1' });
    expect(question(boss.calls[0])).not.toMatch(/come to its end|done/);
  });

  test('may be a member of the team as well', async () => {
    const a = stage.actor([JSON.stringify(next('ben')), JSON.stringify(next('ann')), 'ann herself', JSON.stringify(over)], { name: 'ann' });
    const b = talker('ben');

    const run = await start([a, b], { manager: { agent: 'ann' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ann herself' });
    expect(await spoken(run)).toEqual(['tea', 'ben 1', 'ann herself']);
  });

  test('that ends it at once leaves no result', async () => {
    const a = talker('ann');

    const run = await start([a], { manager: { agent: manager([over]).agent } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: null, rounds: 0 });
  });
});

describe('a function as manager', () => {
  const byFunction = { manager: { function: 'choose' } } satisfies Options;

  test('is told where the chat stands and everything that was said, and names the next one', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    returns.choose = ['cat', { speaker: 'ben', reason: 'his turn' }, { done: true, reason: 'enough' }];

    const run = await start([a, b, c], byFunction);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ben 1', rounds: 2, usage: { modelCalls: 2 } });
    expect(given.choose).toEqual([
      { round: 0, previous: '', candidates: ['ann', 'ben', 'cat'], said: ['tea'] },
      { round: 1, previous: 'cat', candidates: ['ann', 'ben'], said: ['tea', 'cat 1'] },
      { round: 2, previous: 'ben', candidates: ['ann', 'cat'], said: ['tea', 'cat 1', 'ben 1'] },
    ]);
    expect(await chosenIn(run)).toEqual(['cat by manager', 'ben by manager']);
  });

  test.each([
    ['somebody unknown', 'zoe'],
    ['whoever has just spoken', 'ann'],
    ['nothing', undefined],
    ['a number', 7],
    ['a list', ['ben']],
    ['no speaker', { done: false }],
  ])('that names %s fails the run', async (_, answer) => {
    const [a, b] = [talker('ann'), talker('ben')];
    returns.choose = ['ann', answer];

    const run = await start([a, b], byFunction);

    await expect(run.result()).rejects.toMatchObject({ type: 'Manager.Failed', message: expect.stringContaining('choose') as string });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
    expect((await eventsOf(run)).filter(({ type }) => type === 'decision.refused')).toHaveLength(1);
  });

  test('that names nobody is passed over where that is wanted', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    returns.choose = ['zoe', 'zoe', { done: true }];

    const run = await start([a, b], { manager: { function: 'choose', fallback: 'roundRobin' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ben 1' });
    expect(await chosenIn(run)).toEqual(['ann by fallback', 'ben by fallback']);
  });

  test('that may not end the chat and says that it is over has named nobody', async () => {
    const [a, b, c] = [talker('ann'), talker('ben'), talker('cat')];
    returns.choose = ['ann', { done: true }];

    const run = await start([a, b, c], { manager: { function: 'choose', mayEnd: false } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Manager.Failed', message: expect.stringContaining('ben, cat') as string });
  });

  test('that throws fails the run, by its name, and what was said stays readable', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    returns.choose = ['ann', boom];

    const run = await start([a, b], byFunction);

    await expect(run.result()).rejects.toMatchObject({
      type: 'Function.Failed',
      message: expect.stringMatching(/choose.*the dice are gone/) as string,
    });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
  });
});

describe('a function that says whether it is over', () => {
  test('is asked before each round', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    returns.isOver = [false, { stop: false, reason: 'not yet' }, { stop: true, reason: 'enough' }];

    const run = await start([a, b], { terminate: { function: 'isOver' } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'ben 1', rounds: 2 });
    expect(given.isOver).toEqual([
      { round: 0, previous: '', said: ['tea'] },
      { round: 1, previous: 'ann', said: ['tea', 'ann 1'] },
      { round: 2, previous: 'ben', said: ['tea', 'ann 1', 'ben 1'] },
    ]);
  });

  test('may end it before it has begun', async () => {
    const a = talker('ann');
    returns.isOver = [true];

    const run = await start([a], { terminate: { function: 'isOver' }, manager: { function: 'choose' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: null, rounds: 0 });
    expect(given.choose).toEqual([]);
    expect(a.calls).toEqual([]);
  });

  test.each([
    ['throws', boom],
    ['returns a word', 'yes'],
    ['returns nothing', undefined],
  ])('and %s fails the run, by its name', async (_, answer) => {
    returns.isOver = [false, answer];

    const run = await start([talker('ann')], { terminate: { function: 'isOver' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Function.Failed', message: expect.stringContaining('isOver') as string });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
  });
});

describe('a person in the chat', () => {
  test('is asked for words before each round but the first, and everybody hears them', async () => {
    const [a, b] = [talker('ann'), talker('ben')];

    const run = await start([a, b], { person: true, maxRounds: 3 });
    expect(await asks(run, 'words-1')).toMatchObject({ kind: 'question', prompt: 'ann 1' });
    await run.respond('words-1', 'green tea', { by: 'eva' });
    await asks(run, 'words-2');
    await run.respond('words-2', { message: 'with milk' });

    expect(await run.result()).toMatchObject({ output: 'ann 2', rounds: 3, stopReason: { code: 'limit.rounds' } });
    expect(await spoken(run)).toEqual(['tea', 'ann 1', 'green tea', 'ben 1', 'with milk', 'ann 2']);
    expect(heardBy(b.calls[0]!)).toEqual(['tea', '[ann]\nann 1', '[eva]\ngreen tea']);
    expect(heardBy(a.calls[1]!)).toEqual(['tea', 'ann 1', '[eva]\ngreen tea', '[ben]\nben 1', 'with milk']);
  });

  test('is asked only after those who are named', async () => {
    const [a, b] = [talker('ann'), talker('ben')];

    const run = await start([a, b], { person: { after: ['ben'] }, maxRounds: 4 });
    await asks(run, 'words-2');
    await run.respond('words-2', 'go on');

    expect(await run.result()).toMatchObject({ rounds: 4 });
    expect(await spoken(run)).toEqual(['tea', 'ann 1', 'ben 1', 'go on', 'ann 2', 'ben 2']);
    expect(await run.requests()).toHaveLength(1);
  });

  test('is not asked when the chat is over, nor when its rounds are used up; and the function is asked again after its words', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    returns.isOver = [false, false, true];
    returns.choose = ['ann'];
    const run = await start([a, b], { person: true, terminate: { function: 'isOver' }, manager: { function: 'choose' } });
    await asks(run, 'words-1');
    await run.respond('words-1', 'that is all');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ann 1', rounds: 1 });
    expect(given.isOver?.map(({ said }) => said.at(-1))).toEqual(['tea', 'ann 1', 'that is all']);
    expect(given.choose).toHaveLength(1);

    const other = await start([talker('ann')], { person: true, maxRounds: 1 });
    expect(await other.result()).toMatchObject({ stopReason: { code: 'limit.rounds' }, output: 'ann 1' });
    expect(await other.requests()).toEqual([]);
  });

  test('can meet a condition: then nobody is chosen any more, and the result is the last words of an agent', async () => {
    const [a, b] = [talker('ann'), talker('ben')];

    const run = await start([a, b], { person: true }, { termination: { type: 'textMention', text: 'thanks', includeTask: true } });
    await asks(run, 'words-1');
    await run.respond('words-1', 'thanks a lot');

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: 'ann 1' });
    expect(await chosenIn(run)).toEqual(['ann by roundRobin']);
    expect(await spoken(run)).toEqual(['tea', 'ann 1', 'thanks a lot']);
  });

  test('may end it, with last words or without; these are never the result', async () => {
    for (const answer of [{ end: true }, { message: 'goodbye', end: true }] as Json[]) {
      const run = await start([talker('ann'), talker('ben')], { person: true });
      await asks(run, 'words-1');
      await run.respond('words-1', answer);

      expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'ann 1', rounds: 1 });
    }
  });

  test('that never answers ends it, fails it, or is passed over', async () => {
    const options = (onTimeout?: 'end' | 'fail' | 'continue') => ({
      maxRounds: 2,
      person: { timeout: '1 day', ...(onTimeout && { onTimeout }) },
    });
    const ended = await start([talker('ann'), talker('ben')], options());
    expect(await ended.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'person.silent' }, output: 'ann 1' });

    const failed = await start([talker('ann'), talker('ben')], options('fail'));
    await expect(failed.result()).rejects.toMatchObject({ type: 'Request.Expired' });

    const going = await start([talker('ann'), talker('ben')], options('continue'));
    expect(await going.result()).toMatchObject({ stopReason: { code: 'limit.rounds' }, output: 'ben 1' });
  });
});

describe('the result', () => {
  test('is made by a function of what was said', async () => {
    returns.minutes = [{ points: 2 }];

    const run = await start([talker('ann'), talker('ben')], { maxRounds: 2, result: { function: 'minutes' } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.rounds' }, output: { points: 2 }, rounds: 2 });
    expect(given.minutes).toEqual([{ text: 'ben 1', said: ['tea', 'ann 1', 'ben 1'] }]);
  });

  test('is the last words of an agent where the function returns nothing, and the function is given what was said', async () => {
    const run = await start([talker('ann')], { maxRounds: 1, result: { function: 'minutes' } });

    expect(await run.result()).toMatchObject({ output: 'ann 1' });
  });

  test('is made by a function that throws: the run fails, and what was said stays readable', async () => {
    returns.minutes = [boom];

    const run = await start([talker('ann')], { maxRounds: 1, result: { function: 'minutes' } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Function.Failed', message: expect.stringContaining('minutes') as string });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
  });

  test('is made by an agent that has heard everything, in its own words', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const clerk = stage.actor(['they agree'], { name: 'clerk', instructions: 'You sum up.' });
    const boss = manager([next('ben'), next('ann'), over]);

    const run = await start([a, b], { manager: { agent: boss.agent }, result: { agent: clerk.agent } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'they agree', rounds: 3 });
    expect(heardBy(clerk.calls[0]!).slice(0, -1)).toEqual(['tea', '[ben]\nben 1', '[ann]\nann 1']);
    expect((await run.transcript()).at(-1)?.message.authorName).toBe('clerk');
  });

  test('is made also when a condition, or the limit of turns, has ended the chat', async () => {
    const endings: [Partial<RunInput<'groupChat'>>, string][] = [
      [{ termination: { type: 'maxTurns', max: 2 } }, 'condition'],
      [{ limits: { turns: 2 } }, 'limit.turns'],
    ];
    for (const [more, code] of endings) {
      const clerk = stage.actor(['they agree'], { name: 'clerk' });

      const run = await start([talker('ann'), talker('ben')], { result: { agent: clerk.agent } }, more);

      expect(await run.result()).toMatchObject({ stopReason: { code }, output: 'they agree', rounds: 3 });
    }
  });

  test('changes nothing about why the chat ended: its making meets no condition and no limit of turns', async () => {
    const clerk = stage.actor(['APPROVED by all'], { name: 'clerk' });

    const run = await start(
      [talker('ann'), talker('ben')],
      { maxRounds: 2, result: { agent: clerk.agent } },
      {
        limits: { turns: 2 },
        termination: {
          type: 'or',
          conditions: [
            { type: 'textMention', text: 'APPROVED' },
            { type: 'maxTurns', max: 3 },
            { type: 'maxMessages', max: 4 },
          ],
        },
      },
    );

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.rounds' }, output: 'APPROVED by all' });
    expect((await eventsOf(run)).filter(({ type }) => type === 'condition.met')).toEqual([]);
  });
});

describe('a chat that continues as new again and again', () => {
  test('asks, decides and says nothing twice', async () => {
    const [a, b, c] = ['ann', 'ben', 'cat'].map((name) => talker(name, roomy)) as [Actor, Actor, Actor];
    const boss = manager([next('cat'), next('zoe'), next('ann'), next('ben'), next('cat'), over], roomy);
    const clerk = roomy.actor(['they agree'], { name: 'clerk' });
    returns.isOver = Array.from({ length: 20 }, () => false);

    const run = await start(
      [a, b, c],
      {
        manager: { agent: boss.agent },
        terminate: { function: 'isOver' },
        person: { after: ['ann'] },
        result: { agent: clerk.agent },
      },
      { on: roomy },
    );
    await asks(run, 'words-2');
    await answer(run, 'words-2', 'and milk');

    expect(await run.result()).toMatchObject({
      status: 'completed',
      stopReason: { code: 'completed' },
      output: 'they agree',
      rounds: 5,
      usage: { modelCalls: 11 },
    });
    expect((await spoken(run)).filter((text) => !text.startsWith('The conversation is over'))).toEqual([
      'tea',
      'cat 1',
      'ann 1',
      'and milk',
      'ben 1',
      'cat 2',
      'they agree',
    ]);
    expect(boss.calls).toHaveLength(6);
    expect(clerk.calls).toHaveLength(1);
    expect(given.isOver?.map(({ round, said }) => `${round} ${said.at(-1)}`)).toEqual([
      '0 tea',
      '1 cat 1',
      '2 ann 1',
      '2 and milk',
      '3 ben 1',
      '4 cat 2',
    ]);
    expect(await chosenIn(run)).toEqual(['cat', 'ann', 'ben', 'cat'].map((name) => `${name} by manager`));
    expect((await run.checkpoint()).continuations).toBeGreaterThan(2);
  });

  test('keeps its end: who said that it is over is not asked again while the result is made', async () => {
    const clerk = short.actor(
      [
        { calls: [{ name: 'search', arguments: { query: 'tea' } }] },
        { calls: [{ name: 'search', arguments: { query: 'milk' } }] },
        'they agree',
      ],
      { name: 'clerk', tools: ['search'] },
    );
    const input = {
      on: short,
      output: { schema: { type: 'object' }, from: 'conversation' as const, agent: manager([{ said: 'tea' }], short).agent },
    };
    returns.isOver = [false, true];

    const run = await start([talker('ann', short)], { terminate: { function: 'isOver' }, result: { agent: clerk.agent } }, input);

    expect(await run.result()).toMatchObject({ status: 'completed', output: { said: 'tea' }, rounds: 2 });
    expect(given.isOver).toHaveLength(2);
    expect(clerk.calls).toHaveLength(3);

    const quiet = roomy.actor([{ calls: [{ name: 'search', arguments: { query: 'tea' } }] }, 'they agree'], {
      name: 'clerk',
      tools: ['search'],
    });
    const left = await start([talker('ann', roomy)], { person: { timeout: '1 hour' }, result: { agent: quiet.agent } }, { on: roomy });
    expect(await left.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'person.silent' }, output: 'they agree' });
    expect(quiet.calls).toHaveLength(2);

    const last = roomy.actor([{ calls: [{ name: 'search', arguments: { query: 'tea' } }] }, 'they agree'], {
      name: 'clerk',
      tools: ['search'],
    });
    const ended = await start([talker('ann', roomy)], { person: true, result: { agent: last.agent } }, { on: roomy });
    await asks(ended, 'words-1');
    await answer(ended, 'words-1', { message: 'goodbye', end: true });
    expect(await ended.result()).toMatchObject({ status: 'completed', stopReason: { code: 'completed' }, output: 'they agree' });
    expect((await spoken(ended)).filter((text) => text === 'goodbye')).toHaveLength(1);
  });
});

describe('a chat', () => {
  test('goes on with the conversation of another, and begins anew with its rounds and its turns', async () => {
    const [a, b] = [talker('ann'), talker('ben')];
    const first = await start([a, b], { maxRounds: 1 }, { termination: { type: 'maxMessages', max: 5 } });
    await first.result();

    const second = await start(
      [a, b],
      { maxRounds: 2 },
      { task: 'and coffee?', conversation: first.id, termination: { type: 'maxMessages', max: 5 } },
    );

    expect(await second.result()).toMatchObject({ rounds: 2, stopReason: { code: 'limit.rounds' }, output: 'ben 1' });
    expect(await spoken(second)).toEqual(['tea', 'ann 1', 'and coffee?', 'ann 2', 'ben 1']);
    expect(heardBy(b.calls[0]!)).toEqual(['tea', '[ann]\nann 1', 'and coffee?', '[ann]\nann 2']);
  });

  test('with an orchestration among its members lets it speak as one', async () => {
    const [a, inner] = [talker('ann'), talker('ida')];
    const boss = manager([next('panel'), next('ann'), over]);

    const run = await stage.world.client.start('groupChat', {
      agents: [a.agent, { name: 'panel', pattern: 'groupChat', agents: [inner.agent], options: { maxRounds: 1 } }],
      options: { manager: { agent: boss.agent } },
      task: 'tea',
    });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'ann 1', rounds: 2 });
    expect(heardBy(a.calls[0]!)).toEqual(['tea', '[panel]\nida 1']);
  });

  test('whose member fails fails, and what was said stays readable', async () => {
    const b = stage.actor([], { name: 'ben' });

    const run = await start([talker('ann'), b], {});

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect(await spoken(run)).toEqual(['tea', 'ann 1']);
  });

  test('whose manager cannot be reached fails', async () => {
    const run = await start([talker('ann'), talker('ben')], { manager: { agent: manager([]).agent } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
  });

  test('is cancelled while a person is waited for', async () => {
    const run = await start([talker('ann'), talker('ben')], { person: true });
    await asks(run, 'words-1');

    await run.cancel({ reason: 'closing time' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'ann 1', stopReason: { message: 'closing time' } });
    expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
  });

  test.each<[string, Options, string]>([
    ['a manager nobody knows', { manager: { agent: 'nobody' } }, 'options.manager.agent'],
    ['a function nobody knows', { terminate: { function: 'nothing' } }, 'options.terminate.function'],
    ['a person after a stranger', { person: { after: ['zoe'] } }, 'options.person.after[0]'],
    ['no rounds', { maxRounds: 0 }, 'options.maxRounds'],
  ])('is refused with %s', async (_, options, place) => {
    const starting = start([talker('ann')], options).then((run) => run.result());

    await expect(starting).rejects.toMatchObject({
      type: expect.stringMatching(/^Input\./) as string,
      message: expect.stringContaining(place) as string,
    });
  });
});
