import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineFunction, textOf, type Message } from '../../src/index.js';
import type { RunHandle } from '../../src/client.js';
import type { RunEvent } from '../../src/contract/event.js';
import { openWorld, type ScriptedCall, type ScriptedReply, type World } from '../support/world.js';
import { eventually } from '../support/eventually.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const searcher = defineAgent({ name: 'searcher', description: 'Looks things up.', instructions: 'You search.', model: 'searcher' });
const coder = defineAgent({ name: 'coder', description: 'Computes.', instructions: 'You compute.', model: 'coder' });
const lead = defineAgent({ name: 'lead', instructions: 'You lead.', model: 'lead' });
const agents = [searcher, coder, lead];
const team = { agents: ['searcher', 'coder'], task: 'How old is the bridge?' };
const options = { manager: { agent: 'lead' } };

interface Ledger {
  done?: boolean;
  loop?: boolean;
  moving?: boolean;
  next?: string;
  say?: string;
  why?: string;
}

/** A progress ledger as a manager writes it. */
function ledger({ done = false, loop = false, moving = true, next = 'searcher', say = 'go on', why = 'because' }: Ledger = {}): string {
  return JSON.stringify({
    is_request_satisfied: { reason: why, answer: done },
    is_in_loop: { reason: why, answer: loop },
    is_progress_being_made: { reason: why, answer: moving },
    next_speaker: { reason: why, answer: next },
    instruction_or_question: { reason: why, answer: say },
  });
}
const text = (words: string) => JSON.stringify({ text: words });
const done = ledger({ done: true });
const stalled = ledger({ moving: false });

const callsOf = (world: World, model: string) => world.model.calls.filter((call) => call.model === model);
const callOf = (world: World, model: string, index: number) => callsOf(world, model)[index] as ScriptedCall;
const lastHeard = (call: ScriptedCall) => call.messages.at(-1)?.content ?? '';
const heard = (call: ScriptedCall) => call.messages.filter(({ role }) => role !== 'system').map(({ content }) => content);

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

/** The id of the nth request, once it is open. */
async function request(run: RunHandle, nth = 1): Promise<string> {
  let open = 0;
  for await (const event of run.watch()) {
    if (event.type === 'request.opened' && (open += 1) === nth) return event.requestId;
  }
  throw new Error(`The run ended with ${open} requests.`);
}

describe('magentic', () => {
  test('plans, gives instructions, judges the progress, and answers: so many calls and no more', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          text('the facts'),
          text('the plan'),
          ledger({ next: 'searcher', say: 'find the year' }),
          ledger({ next: 'coder', say: 'subtract' }),
          done,
          '130 years',
        ],
        searcher: ['built in 1894'],
        coder: ['130'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options });
    const result = await run.result();

    expect(result).toMatchObject({ status: 'completed', output: '130 years', stopReason: { code: 'completed' }, rounds: 3 });
    expect(result).not.toHaveProperty('incomplete');
    expect(world.model.calls.map(({ model }) => model)).toEqual(['lead', 'lead', 'lead', 'searcher', 'lead', 'coder', 'lead', 'lead']);
    expect(result.usage.modelCalls).toBe(8);
    world.model.assertComplete();
  });

  test('an agent hears the task, the ledger, what it is told itself, and what others have said', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          text('the facts'),
          text('the plan'),
          ledger({ next: 'searcher', say: 'find the year' }),
          ledger({ next: 'coder', say: 'subtract' }),
          done,
          '130 years',
        ],
        searcher: ['built in 1894'],
        coder: ['130'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options });
    await run.result();

    const told = expect.stringMatching(/searcher: Looks things up\.[^]*coder: Computes\.[^]*the facts[^]*the plan/) as string;
    expect(heard(callOf(world, 'searcher', 0))).toEqual(['How old is the bridge?', told, 'find the year']);
    expect(heard(callOf(world, 'coder', 0))).toEqual(['How old is the bridge?', told, '[searcher]\nbuilt in 1894', 'subtract']);
    expect((await run.transcript()).map(({ message, audience = 'all' }) => [textOf(message).slice(0, 13), audience])).toEqual([
      ['How old is th', 'all'],
      ['We work on th', 'all'],
      ['find the year', ['searcher', 'lead']],
      ['built in 1894', 'all'],
      ['subtract', ['coder', 'lead']],
      ['130', 'all'],
      ['The work is o', ['lead']],
      ['130 years', 'all'],
    ]);
  });

  test('the manager hears everything, asks itself about facts, plan and progress, and has the form of the answer given', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [text('the facts'), text('the plan'), ledger({ say: 'find the year' }), done, '130 years'],
        searcher: ['built in 1894'],
      },
    });

    await (await world.client.start('magentic', { ...team, options })).result();

    const [facts, plan, first, second, last] = callsOf(world, 'lead') as [
      ScriptedCall,
      ScriptedCall,
      ScriptedCall,
      ScriptedCall,
      ScriptedCall,
    ];
    expect(facts.instructions).toBe('You lead.');
    expect(heard(facts)).toEqual(['How old is the bridge?', expect.stringContaining('take stock') as string]);
    expect(lastHeard(plan)).toMatch(/searcher: Looks things up\.[^]*the facts/);
    expect(plan.outputSchema).toMatchObject({ required: ['text'] });
    expect(first.outputSchema?.required).toEqual([
      'is_request_satisfied',
      'is_in_loop',
      'is_progress_being_made',
      'next_speaker',
      'instruction_or_question',
    ]);
    expect(lastHeard(first)).toContain('searcher, coder');
    expect(second.heard('find the year') && second.heard('searcher', 'built in 1894')).toBe(true);
    expect(last.outputSchema).toBeUndefined();
    expect(lastHeard(last)).toContain('The work is over.');
    // Its own questions are no part of the conversation.
    expect(last.heard('take stock') || last.heard('is_in_loop')).toBe(false);
  });

  test('tells watchers of the plan and of each judgement', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [text('the facts'), text('the plan'), ledger({ say: 'find it', why: 'nobody has looked' }), done, '130'],
        searcher: ['1894'],
      },
    });
    const run = await world.client.start('magentic', { ...team, options });
    await run.result();

    const events = await eventsOf(run);

    expect(events.filter(({ type }) => type === 'plan.made')).toMatchObject([{ facts: 'the facts', plan: 'the plan', reset: 0 }]);
    expect(events.filter(({ type }) => type === 'progress.judged')).toMatchObject([
      { satisfied: false, stalls: 0, speaker: 'searcher', instruction: 'find it', reason: 'nobody has looked' },
      { satisfied: true, stalls: 0, reason: 'because' },
    ]);
  });

  test('a task that is done before anybody began is answered at once', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [text('f'), text('p'), done, 'I know: 130'] } });

    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'I know: 130', rounds: 1 });
  });

  test('prompts can be replaced one by one, with the same words in braces', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('$& facts {plan}'), text('the plan'), ledger(), done, 'x'], searcher: ['1894'] },
    });
    const prompts = { plan: 'PLAN with {names} and {facts} and {nothing}', ledger: 'LEDGER: {plan}', finalAnswer: 'ANSWER in rhymes.' };

    await (await world.client.start('magentic', { ...team, options: { ...options, prompts } })).result();

    expect(lastHeard(callOf(world, 'lead', 0))).toContain('take stock');
    expect(lastHeard(callOf(world, 'lead', 1))).toContain('PLAN with searcher, coder and $& facts {plan} and {nothing}');
    expect(heard(callOf(world, 'searcher', 0))[1]).toBe('LEDGER: the plan');
    expect(lastHeard(callOf(world, 'lead', 4))).toBe('ANSWER in rhymes.');
  });
});

describe('the manager of a magentic run', () => {
  const short = [text('f'), text('p'), ledger({ next: 'searcher' }), done, 'the answer'];

  test('is one of ours with the default model when none is given', async () => {
    await using world = await openWorld({ environment, agents, script: { scripted: short, searcher: ['1894'] } });

    const run = await world.client.start('magentic', { ...team });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    expect((await run.transcript()).at(-1)?.message.authorName).toBe('manager');
    expect((await run.status()).agents).toEqual(['searcher', 'coder']);
  });

  test('also when somebody of the team is called so', async () => {
    const manager = defineAgent({ name: 'manager', description: 'A bank manager.', instructions: 'You count money.', model: 'bank' });
    await using world = await openWorld({
      environment,
      agents: [searcher, manager],
      script: { scripted: [text('f'), text('p'), ledger({ next: 'manager', say: 'count it' }), done, 'the answer'], bank: ['ten pounds'] },
    });

    const run = await world.client.start('magentic', { agents: ['searcher', 'manager'], task: 'count' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    const [bank] = callsOf(world, 'bank') as [ScriptedCall];
    expect(bank.instructions).toBe('You count money.');
    expect(lastHeard(bank)).toBe('count it');
    expect((await run.transcript()).map(({ message }) => message.authorName)).toEqual([
      undefined,
      undefined,
      undefined,
      'manager',
      undefined,
      'manager-2',
    ]);
  });

  test('may be a member of the team, who then takes turns as well', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('f'), text('p'), ledger({ next: 'lead', say: 'think' }), 'I thought', done, 'the answer'] },
    });

    const run = await world.client.start('magentic', { agents: ['searcher', 'lead'], options, task: 'think' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 2 });
    expect((await run.status()).agents).toEqual(['searcher', 'lead']);
  });

  test('leads a team of one', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: short, searcher: ['1894'] } });

    const run = await world.client.start('magentic', { agents: ['searcher'], options, task: 'when' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 2 });
  });

  test('may speak to an endpoint that knows no structured output', async () => {
    const lines = [...short];
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: (call: ScriptedCall): ScriptedReply =>
          call.outputSchema
            ? { status: 400, body: { error: { message: "Unknown parameter: 'response_format'" } } }
            : (lines.shift() as string),
        searcher: ['1894'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', usage: { modelCalls: 6 } });
    expect(lastHeard(callOf(world, 'lead', 1))).toContain('It has to fit this JSON schema');
  });

  test('may wrap its JSON in words, and write facts and plan in words alone', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          'It is an old bridge.',
          'First the searcher [1], then {nobody}.',
          `Let me see {…}.\n\n\`\`\`json\n${ledger({ say: 'search' })}\n\`\`\`\nThat is all.`,
          `Done, I say: ${done}`,
          'the answer',
        ],
        searcher: ['1894'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    expect(heard(callOf(world, 'searcher', 0))[1]).toMatch(/It is an old bridge\.[^]*First the searcher \[1\], then \{nobody\}\./);
  });

  test('that has JSON for a plan, but never the JSON asked for, is taken at its words', async () => {
    const plan = '{"plan": ["searcher searches"]}';
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('f'), plan, plan, plan, ledger(), done, 'the answer'], searcher: ['1894'] },
    });

    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    expect(heard(callOf(world, 'searcher', 0))[1]).toContain('searcher searches');
  });

  test('that has no words for a plan fails the run', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [text('f'), text(' '), text(''), text('')] } });

    const run = await world.client.start('magentic', { ...team, options });

    await expect(run.result()).rejects.toMatchObject({
      type: 'Manager.Failed',
      message: 'lead gave no usable answer to "the plan" in 3 attempts. The last: text must not be empty',
    });
  });

  test('that names a stranger is told whom there is, and asked again', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('f'), text('p'), ledger({ next: 'stranger' }), ledger({ next: 'coder' }), done, 'the answer'], coder: ['130'] },
    });
    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 2 });

    expect(lastHeard(callOf(world, 'lead', 3))).toContain('next_speaker.answer must be one of searcher, coder, not "stranger"');
    // What the stranger was to do is told to nobody.
    expect((await run.transcript()).filter(({ audience }) => audience)).toHaveLength(2);
    expect((await eventsOf(run)).filter(({ type }) => type === 'decision.refused')).toMatchObject([
      { by: 'lead', reason: expect.stringContaining('the progress: next_speaker.answer must be one of') as string },
    ]);
  });

  test('that names only strangers has stalled, and ends with the best there is', async () => {
    const strange = ledger({ next: '' });
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('f'), text('p'), ...Array<string>(6).fill(strange), 'All I know.'] },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 1, maxResets: 0 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets' },
      incomplete: true,
      output: 'All I know.',
      rounds: 1,
    });
    world.model.assertComplete();
  });

  test('whose ledger is never JSON has stalled each time, and comes to an end', async () => {
    const lines = (call: ScriptedCall) =>
      lastHeard(call).startsWith('The work had to be stopped') ? 'All I know.' : 'Things are going well, I would say.';
    await using world = await openWorld({ environment, agents, script: { lead: lines } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 1 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets' },
      incomplete: true,
      output: 'All I know.',
    });
    // Facts, plan and three attempts at a ledger, twice; and the answer.
    expect(world.model.calls).toHaveLength(11);
    expect(lastHeard(callOf(world, 'lead', 5))).toContain('The work has come to a halt: There is no JSON in it.');
  });

  test('may write more into its ledger than was asked for', async () => {
    const more = JSON.stringify({ ...(JSON.parse(ledger()) as object), problem: 'none that I know of' });
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [text('f'), text('p'), more, done, 'the answer'], searcher: ['1894'] },
    });

    const run = await world.client.start('magentic', { ...team, options });

    expect(await run.result()).toMatchObject({ status: 'completed', rounds: 2 });
  });
});

describe('a magentic run that stalls', () => {
  const [f, p] = [text('the facts'), text('the plan')];

  test('makes a new plan when the stalls exceed their limit, in view of all that was said; then the team begins anew', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          f,
          p,
          ledger({ moving: false, next: 'searcher', say: 'look in the library' }),
          ledger({ loop: true, next: 'searcher', say: 'look again', why: 'the library is closed' }),
          text('the new facts'),
          text('the new plan'),
          ledger({ next: 'coder', say: 'compute it' }),
          done,
          'the answer',
        ],
        searcher: ['it is closed'],
        coder: ['130'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 1 } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 3 });
    world.model.assertComplete();
    const newFacts = callOf(world, 'lead', 4);
    expect(lastHeard(newFacts)).toMatch(/come to a halt: the library is closed[^]*the facts/);
    expect(newFacts.heard('How old is the bridge?') && newFacts.heard('searcher', 'it is closed')).toBe(true);
    const newPlan = callOf(world, 'lead', 5);
    expect(lastHeard(newPlan)).toMatch(/the new facts[^]*the plan/);
    expect(newPlan.heard('searcher', 'it is closed')).toBe(true);

    const ledgerTold = expect.stringMatching(
      /^The task:\nHow old is the bridge\?\n[^]*searcher: Looks things up\.[^]*the new facts[^]*the new plan/,
    ) as string;
    expect(heard(callOf(world, 'coder', 0))).toEqual([ledgerTold, 'compute it']);
    expect(heard(callOf(world, 'lead', 6))).toEqual([ledgerTold, expect.stringContaining('is_in_loop') as string]);
    expect(heard(callOf(world, 'lead', 8))).toEqual([
      ledgerTold,
      'compute it',
      '[coder]\n130',
      expect.stringContaining('The work is over.') as string,
    ]);
    // What was not to be done any more was told to nobody.
    expect((await run.transcript()).map(({ message }) => textOf(message))).not.toContain('look again');
  });

  test('counts from zero after a new plan, and tells watchers', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [f, p, stalled, stalled, text('f2'), text('p2'), stalled, done, 'the answer'],
        searcher: ['nothing', 'something'],
      },
    });
    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 1 } });
    await run.result();

    const events = await eventsOf(run);

    const stalls = events.flatMap((event) => (event.type === 'progress.judged' ? [event.stalls] : []));
    expect(stalls).toEqual([1, 2, 1, 1]);
    expect(events.filter(({ type }) => type === 'plan.made')).toMatchObject([{ reset: 0 }, { reset: 1, facts: 'f2', plan: 'p2' }]);
  });

  test('goes on by the old plan while progress makes up for stalls', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, stalled, ledger(), stalled, ledger(), done, 'the answer'], searcher: ['1', '2', '3', '4'] },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 1, maxResets: 0 } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 5 });
    world.model.assertComplete();
  });

  test('makes as many new plans as are allowed, and each team hears only from its own ledger on', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          f,
          p,
          ledger(),
          stalled,
          text('f2'),
          text('p2'),
          ledger(),
          stalled,
          text('f3'),
          text('p3'),
          ledger(),
          stalled,
          'All I know.',
        ],
        searcher: ['first', 'second', 'third'],
      },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 2 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets', message: 'The most new plans (2) were made that are allowed; the task is not done.' },
      incomplete: true,
      output: 'All I know.',
      rounds: 4,
    });
    world.model.assertComplete();
    const third = callOf(world, 'searcher', 2);
    expect(third.heard('p3') && third.heard('How old is the bridge?')).toBe(true);
    expect(third.heard('first') || third.heard('second') || third.heard('p2')).toBe(false);
    const facts3 = callOf(world, 'lead', 8);
    expect(facts3.heard('second') && !facts3.heard('searcher', 'first')).toBe(true);
  });

  test('without any new plan allowed answers as well as it can: four calls to the manager and one', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, stalled, 'All I know.'] } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 0 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets' },
      incomplete: true,
      output: 'All I know.',
      rounds: 1,
    });
    expect(world.model.calls).toHaveLength(4);
  });

  test('begins anew with a long task as well', async () => {
    const task = `${'a long story '.repeat(2000)}and its end`;
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, stalled, text('f2'), text('p2'), ledger(), done, 'the answer'], searcher: ['read'] },
    });

    const run = await world.client.start('magentic', { agents: ['searcher'], task, options: { ...options, maxStalls: 0 } });

    expect(await run.result()).toMatchObject({ status: 'completed' });
    expect(callOf(world, 'searcher', 0).heard('and its end')).toBe(true);
  });

  test('as a member of another run hears the task as that run heard it, and no old ledger instead', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [f, p, stalled, text('f2'), text('p2'), ledger(), done, 'the answer'],
        searcher: ['1894'],
        coder: ['thanks'],
      },
    });
    const research = { name: 'research', pattern: 'magentic' as const, agents: ['searcher'], options: { ...options, maxStalls: 0 } };

    const run = await world.client.start('sequential', { agents: [research, 'coder'], task: 'How old is the bridge?' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'thanks' });
    const said = heard(callOf(world, 'searcher', 0));
    expect(said.filter((words) => words.includes('How old is the bridge?'))).toHaveLength(1);
    expect(said.filter((words) => words.includes('We work on the task together'))).toEqual([expect.stringContaining('p2') as string]);
    expect(said.join()).not.toContain('the plan');
    expect(heard(callOf(world, 'coder', 0))).toEqual(['How old is the bridge?', '[research]\nthe answer']);
  });
});

describe('a magentic run at a limit', () => {
  const [f, p] = [text('the facts'), text('the plan')];

  test('of rounds is judged once more, and gives the best answer there is', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger({ say: 'find it' }), ledger({ say: 'look again' }), 'Built in 1894, I think.'], searcher: ['1894'] },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxRounds: 1 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.rounds', message: 'The most rounds (1) were taken that are allowed; the task is not done.' },
      incomplete: true,
      output: 'Built in 1894, I think.',
      rounds: 2,
    });
    world.model.assertComplete();
    const last = callOf(world, 'lead', 4);
    expect(last.heard('searcher', '1894') && lastHeard(last).startsWith('The work had to be stopped')).toBe(true);
    expect(last.heard('look again')).toBe(false);
  });

  test('of rounds is done when its last round has done it', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, ledger(), done, '130'], searcher: ['1894'] } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxRounds: 1 } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: '130' });
  });

  const refused = { status: 401, body: { error: { message: 'bad key' } } };

  test("gives the last agent's words when the best answer cannot be had", async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), stalled, text('f2'), text('p2'), stalled, refused], searcher: ['built in 1894'] },
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 1 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets' },
      incomplete: true,
      output: 'built in 1894',
    });
    expect((await eventsOf(run)).filter(({ type }) => type === 'turn.failed')).toMatchObject([
      { agent: 'lead', failure: { type: 'Model.Refused' } },
    ]);
  });

  test('gives nothing, and no ledger, when nobody has said anything', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, stalled, refused] } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 0 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', incomplete: true, output: null });
  });

  test('stays at that limit when its answer meets a condition', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), ledger(), 'a guess'], searcher: ['1894'] },
    });

    const run = await world.client.start('magentic', {
      ...team,
      options: { ...options, maxRounds: 1 },
      termination: { type: 'source', sources: ['lead'] },
    });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.rounds' },
      incomplete: true,
      output: 'a guess',
    });
  });

  test('need not have the output that was asked for', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), ledger(), 'a guess'], searcher: ['1894'] },
    });

    const run = await world.client.start('magentic', {
      ...team,
      options: { ...options, maxRounds: 1 },
      output: { schema: { type: 'object', properties: { age: { type: 'number' } }, required: ['age'] } },
    });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.rounds' },
      incomplete: true,
      output: 'a guess',
    });
  });

  test('of turns, which counts those of all agents, ends without another call', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, ledger(), ledger()], searcher: ['built in 1894'] } });

    const run = await world.client.start('magentic', { ...team, options, limits: { turns: 1 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.turns' },
      output: 'built in 1894',
      rounds: 1,
    });
    world.model.assertComplete();
  });

  const usage = { inputTokens: 60, outputTokens: 40 };

  test("of tokens counts the manager's", async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          { text: f, usage },
          { text: p, usage },
          { text: ledger(), usage },
        ],
        searcher: [{ text: 'built in 1894', usage }],
      },
    });

    const run = await world.client.start('magentic', { ...team, options, limits: { tokens: 400 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.tokens' },
      output: 'built in 1894',
      usage: { inputTokens: 240, outputTokens: 160, totalTokens: 400, modelCalls: 4 },
    });
    world.model.assertComplete();
  });

  test('of tokens holds also between the attempts of one question', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          { text: f, usage },
          { text: p, usage },
          { text: 'no ledger', usage },
        ],
      },
    });

    const run = await world.client.start('magentic', { ...team, options, limits: { tokens: 250 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' }, usage: { modelCalls: 3 } });
    world.model.assertComplete();
  });

  test('of time interrupts the review of a plan', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p] } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview: true }, limits: { time: '1 hour' } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.time' }, output: null });
    expect(await run.requests()).toMatchObject([{ status: 'withdrawn' }]);
  });
});

describe('conditions in a magentic run', () => {
  const script = () => ({
    lead: [text('the END of facts'), text('p'), ledger({ say: 'find the END' }), ledger({ next: 'coder' }), done, 'the answer'],
    searcher: ['1894'],
    coder: ['THE END'],
  });

  test('see what agents say, and neither the ledger nor instructions', async () => {
    await using world = await openWorld({ environment, agents, script: script() });

    const run = await world.client.start('magentic', { ...team, options, termination: { type: 'textMention', text: 'END' } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: 'THE END', rounds: 2 });
  });

  test('count turns of agents', async () => {
    await using world = await openWorld({ environment, agents, script: script() });

    const run = await world.client.start('magentic', { ...team, options, termination: { type: 'maxTurns', max: 1 } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: '1894', rounds: 1 });
  });

  test('may be functions', async () => {
    const isDone = defineFunction<{ messages: Message[] }>({
      name: 'isDone',
      run: ({ messages }) => messages.some((message) => textOf(message) === '1894'),
    });
    await using world = await openWorld({ environment, agents, functions: [isDone], script: script() });

    const run = await world.client.start('magentic', { ...team, options, termination: { type: 'custom', function: 'isDone' } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: '1894' });
  });
});

describe('the review of a plan', () => {
  const [f, p] = [text('the facts'), text('the plan')];
  const reviewed = { ...team, options: { ...options, planReview: true } };

  test('shows it to a person, and waits; nobody works before it is approved', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), done, 'the answer'], searcher: ['1894'] },
    });
    const run = await world.client.start('magentic', reviewed);
    const id = await request(run);

    const [view] = await run.requests();
    expect(view).toMatchObject({
      requestId: id,
      kind: 'planReview',
      prompt: 'The plan:\nthe plan\n\nWhat is known:\nthe facts',
      agent: 'lead',
      status: 'pending',
    });
    expect(view).not.toHaveProperty('expiresAt');
    expect(await run.status()).toMatchObject({ status: 'waiting', requests: [id], rounds: 0 });
    expect(world.model.calls).toHaveLength(2);

    await run.respond(id, 'approve', { by: 'anna' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 2 });
    expect(await run.requests()).toMatchObject([{ requestId: id, status: 'answered', response: 'approve', by: 'anna' }]);
  });

  test('may be answered by a plain signal, with an object', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, done, 'the answer'] } });
    const run = await world.client.start('magentic', reviewed);
    const id = await request(run);

    await environment.client.workflow.getHandle(run.id).signal('respond', { requestId: id, response: { decision: 'approve' } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
  });

  test.each([['reject'], [{ decision: 'reject' }]])('ends the run without having begun, by %j', async (response) => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p] } });
    const run = await world.client.start('magentic', { ...reviewed, output: { schema: { type: 'object' } } });

    await run.respond(await request(run), response);

    const result = await run.result();
    expect(result).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'plan.rejected', message: 'The plan was rejected.' },
      rounds: 0,
    });
    expect(result.output).toBeNull();
    expect(world.model.calls).toHaveLength(2);
  });

  test('revises it as the person says, and asks again with another request', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, text('the second plan'), text('the third plan'), ledger(), done, 'the answer'], searcher: ['1894'] },
    });
    const run = await world.client.start('magentic', reviewed);

    const first = await request(run);
    await run.respond(first, { decision: 'revise', feedback: 'Ask the librarian.' });
    const second = await request(run, 2);
    await run.respond(second, { decision: 'revise' });
    const third = await request(run, 3);
    await run.respond(third, { decision: 'approve' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
    world.model.assertComplete();
    expect(new Set([first, second, third]).size).toBe(3);
    expect(lastHeard(callOf(world, 'lead', 2))).toMatch(/Ask the librarian\.[^]*the plan[^]*the facts[^]*searcher: Looks things up\./);
    expect(lastHeard(callOf(world, 'lead', 3))).toMatch(/Make another one\.[^]*the second plan/);
    expect((await run.requests()).map(({ prompt }) => prompt)).toEqual([
      expect.stringContaining('the plan') as string,
      expect.stringContaining('the second plan') as string,
      expect.stringContaining('the third plan') as string,
    ]);
    expect(heard(callOf(world, 'searcher', 0))[1]).toContain('the third plan');
    expect(heard(callOf(world, 'searcher', 0)).join()).not.toContain('the second plan');
  });

  test('takes no more revisions than are allowed: the request still waits', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, text('p2'), done, 'the answer'] } });
    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview: { maxRevisions: 1 } } });

    await run.respond(await request(run), { decision: 'revise', feedback: 'Shorter.' });
    const second = await request(run, 2);
    const refused = await run.respond(second, { decision: 'revise', feedback: 'Shorter still.' }).catch((error: unknown) => error as Error);

    expect(refused).toMatchObject({ type: 'Input.Invalid', message: expect.stringContaining('The request still waits.') as string });
    await expect(run.respond(second, 'looks good')).rejects.toMatchObject({ type: 'Input.Invalid' });
    expect(await run.requests()).toMatchObject([{ status: 'answered' }, { requestId: second, status: 'pending' }]);
    await run.respond(second, 'approve');
    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
  });

  test('comes again after every new plan, with the reason for it; revisions count anew', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [
          f,
          p,
          text('p-revised'),
          ledger(),
          ledger({ loop: true, why: 'the library is closed' }),
          text('f2'),
          text('p2'),
          text('p2-revised'),
          ledger({ next: 'coder' }),
          done,
          'the answer',
        ],
        searcher: ['closed'],
        coder: ['130'],
      },
    });
    const planReview = { maxRevisions: 1 };
    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, planReview } });

    await run.respond(await request(run, 1), { decision: 'revise', feedback: 'one' });
    await run.respond(await request(run, 2), 'approve');
    await run.respond(await request(run, 3), { decision: 'revise', feedback: 'two' });
    await run.respond(await request(run, 4), 'approve');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer', rounds: 3 });
    world.model.assertComplete();
    expect((await run.requests())[2]?.prompt).toBe(
      'The work has come to a halt: the library is closed\n\nThe plan:\np2\n\nWhat is known:\nf2',
    );
    expect(callOf(world, 'coder', 0).heard('p2-revised') && !callOf(world, 'coder', 0).heard('closed')).toBe(true);
  });

  test('of a new plan may end the run, which then has the last words of an agent', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), stalled, text('f2'), text('p2')], searcher: ['built in 1894'] },
    });
    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, planReview: true } });

    await run.respond(await request(run, 1), 'approve');
    await run.respond(await request(run, 2), 'reject');

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'plan.rejected' },
      output: 'built in 1894',
    });
  });

  test('shows the plan also where the facts are very long', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [text('fact '.repeat(3000)), p, done, 'the answer'] } });
    const run = await world.client.start('magentic', reviewed);

    const id = await request(run);

    expect((await run.requests())[0]?.prompt).toMatch(/^The plan:\nthe plan\n/);
    await run.respond(id, 'approve');
    await run.result();
  });

  test('that nobody makes in time counts as a rejection', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p] } });

    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview: { timeout: '2 days' } } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'plan.rejected', message: expect.stringContaining('Nobody reviewed the plan') as string },
      output: null,
      rounds: 0,
    });
    expect(await run.requests()).toMatchObject([{ status: 'expired' }]);
  });

  test('or as approval, where that is said', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger(), done, 'the answer'], searcher: ['1894'] },
    });
    const planReview = { timeout: '2 days', onTimeout: 'approve' } as const;

    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'the answer' });
  });

  test('or as a failure', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p] } });
    const planReview = { timeout: '2 days', onTimeout: 'fail' } as const;

    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Request.Expired' });
    expect(await run.status()).toMatchObject({ status: 'failed', failure: { type: 'Request.Expired' } });
  });

  test('of a member of another run is listed and answered at the top', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, done, 'the answer'], coder: ['thanks'] } });
    const research = { name: 'research', pattern: 'magentic' as const, agents: ['searcher'], options: { ...options, planReview: true } };
    const run = await world.client.start('sequential', { agents: [research, 'coder'], task: 'How old?' });
    const inside = await request(run);

    // The run within tells the one above of it.
    const view = await eventually(async () => {
      const [open] = await run.requests();
      expect(open).toMatchObject({ kind: 'planReview', requestId: expect.stringMatching(`~${inside}$`) as string });
      return open!;
    });
    await run.respond(view.requestId, 'approve');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'thanks' });
  });
});

describe('a magentic run that continues as new after every few events', () => {
  const script = () => ({
    lead: [
      text('the facts'),
      text('the plan'),
      text('the plan, revised'),
      ledger({ next: 'searcher', say: 'find the year' }),
      'no ledger',
      ledger({ loop: true, next: 'searcher', why: 'the library is closed' }),
      text('the new facts'),
      text('the new plan'),
      ledger({ next: 'coder', say: 'subtract' }),
      done,
      '130 years',
      '{"age": 130}',
    ],
    searcher: ['it is closed'],
    coder: ['130'],
  });
  const play = async (world: World) => {
    const run = await world.client.start('magentic', {
      ...team,
      options: { ...options, maxStalls: 0, planReview: true },
      output: { schema: { type: 'object', required: ['age'] }, from: 'conversation', agent: 'lead' },
    });
    await run.respond(await request(run, 1), { decision: 'revise', feedback: 'shorter' });
    await run.respond(await request(run, 2), 'approve');
    await run.respond(await request(run, 3), 'approve');
    return { run, result: await run.result() };
  };

  test('also while a plan is reviewed says and hears the same, and repeats no call', async () => {
    await using plain = await openWorld({ environment, agents, script: script() });
    await using short = await openWorld({ environment, agents, script: script(), historyEvents: 5 });

    const expected = await play(plain);
    const { run, result } = await play(short);

    expect(result).toEqual(expected.result);
    expect(result).toMatchObject({ status: 'completed', output: { age: 130 }, rounds: 3 });
    short.model.assertComplete();
    expect(short.model.calls.map(({ model, messages }) => ({ model, messages }))).toEqual(
      plain.model.calls.map(({ model, messages }) => ({ model, messages })),
    );
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(5);
    const said = async (handle: RunHandle) => (await handle.transcript()).map(({ message, audience }) => [textOf(message), audience]);
    expect(await said(run)).toEqual(await said(expected.run));
  });

  test('keeps its limit, and what it had when even the best answer failed', async () => {
    await using world = await openWorld({
      environment,
      agents,
      script: {
        lead: [text('f'), text('p'), ledger(), stalled, { status: 401, body: { error: { message: 'bad key' } } }],
        searcher: ['built in 1894'],
      },
      historyEvents: 5,
    });

    const run = await world.client.start('magentic', { ...team, options: { ...options, maxStalls: 0, maxResets: 0 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.resets' },
      incomplete: true,
      output: 'built in 1894',
    });
    world.model.assertComplete();
  });
});

describe('cancelling a magentic run', () => {
  const [f, p] = [text('the facts'), text('the plan')];

  test('while a plan waits for its review withdraws the request', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p] } });
    const run = await world.client.start('magentic', { ...team, options: { ...options, planReview: true } });
    const id = await request(run);

    await run.cancel({ reason: 'too dear' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', stopReason: { message: 'too dear' }, output: null });
    expect(await run.requests()).toMatchObject([{ requestId: id, status: 'withdrawn' }]);
    await expect(run.respond(id, 'approve')).rejects.toMatchObject({ type: 'Run.Closed' });
  });

  test('lets the call to the manager end, and starts nothing after it', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await using world = await openWorld({ environment, agents, script: { lead: [f, async () => (await released, p)] } });
    const run = await world.client.start('magentic', { ...team, options });
    await world.model.called(2);

    await run.cancel();
    release();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null, usage: { modelCalls: 2 } });
    world.model.assertComplete();
  });

  test('lets the turn in flight end, and keeps its words', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [f, p, ledger()], searcher: [async () => (await released, 'built in 1894')] },
    });
    const run = await world.client.start('magentic', { ...team, options });
    await world.model.called(4);

    await run.cancel();
    release();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'built in 1894', rounds: 1 });
    world.model.assertComplete();
  });

  test('immediately breaks off the call to the manager', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, { hang: true }] } });
    const run = await world.client.start('magentic', { ...team, options });
    await world.model.called(2);

    await run.cancel({ mode: 'immediate' });
    await world.model.aborted(1);

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null });
  });

  test('after its end only tells how it ended', async () => {
    await using world = await openWorld({ environment, agents, script: { lead: [f, p, done, 'the answer'] } });
    const run = await world.client.start('magentic', { ...team, options });
    await run.result();

    expect(await run.cancel()).toEqual({ status: 'completed' });
  });
});

describe('a magentic run over the conversation of an earlier one', () => {
  test('hears what was said there, plans anew, and counts from zero', async () => {
    const lines = (n: number) => [text(`f${n}`), text(`p${n}`), ledger({ say: `do ${n}` }), done, `answer ${n}`];
    await using world = await openWorld({
      environment,
      agents,
      script: { lead: [...lines(1), ...lines(2)], searcher: ['built in 1894', 'of iron'] },
    });
    const limits = { ...options, maxRounds: 1 };
    const first = await world.client.start('magentic', { ...team, options: limits });
    await first.result();

    const run = await world.client.start('magentic', { ...team, task: 'And of what?', options: limits, conversation: first.id });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'answer 2', rounds: 2 });
    expect(heard(callOf(world, 'searcher', 1))).toEqual([
      'How old is the bridge?',
      expect.stringContaining('p1') as string,
      'do 1',
      'built in 1894',
      '[lead]\nanswer 1',
      'And of what?',
      expect.stringContaining('p2') as string,
      'do 2',
    ]);
  });
});

describe('a magentic run that fails', () => {
  const [f, p] = [text('the facts'), text('the plan')];
  const refused = { status: 401, body: { error: { message: 'bad key' } } };

  test.each([
    ['of the manager, at the beginning', { lead: [refused] }, ['How old is the bridge?']],
    ['of an agent', { lead: [f, p, ledger({ say: 'find it' })], searcher: [refused] }, ['How old is the bridge?', 'the ledger', 'find it']],
    ['of the manager, at the end', { lead: [f, p, done, refused] }, ['How old is the bridge?', 'the ledger', 'answer']],
  ])('ends with the failure %s, and leaves the transcript readable', async (_, script, said) => {
    await using world = await openWorld({ environment, agents, script });
    const prompts = { ledger: 'the ledger', finalAnswer: 'answer' };

    const run = await world.client.start('magentic', { ...team, options: { ...options, prompts } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(said);
  });

  test.each([
    ['a manager whom nobody knows', { manager: { agent: 'laed' } }, 'options.manager.agent', 'Input.UnknownAgent'],
    ['no rounds', { maxRounds: 0 }, 'options.maxRounds', 'Input.Invalid'],
    ['fewer than no resets', { maxResets: -1 }, 'options.maxResets', 'Input.Invalid'],
    ['a prompt of another name', { prompts: { fact: 'x' } }, 'options.prompts', 'Input.Invalid'],
    ['a policy of another name', { planReview: { onTimeout: 'revise' } }, 'options.planReview', 'Input.Invalid'],
  ])('at once with %s', async (_, wrong, place, type) => {
    await using world = await openWorld({ environment, agents });

    const running = environment.client.workflow.execute('magentic', {
      workflowId: `bad-${Math.random()}`,
      taskQueue: world.taskQueue,
      args: [{ ...team, options: wrong }],
    });

    const { cause } = (await running.catch((error: unknown) => error)) as { cause: { type: string; message: string } };
    expect(cause.type).toBe(type);
    expect(cause.message).toContain(place);
    expect(world.model.calls).toHaveLength(0);
  });
});
