/** Real runs of every pattern, as whoever watches them reads them. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { Context } from '../../src/cli/context.js';
import type { Place } from '../../src/cli/place.js';
import { watchToEnd } from '../../src/cli/watching.js';
import type { JsonObject, RequestView, RunInput } from '../../src/index.js';
import { openWorld, type Script, type World } from '../support/world.js';
import { timeSkippingServer } from '../support/servers.js';
import { ownServer } from './own-server.js';
import { ostinatoProcess, recordedTerminal, startOstinato } from './support.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const agent = (name: string, more: object = {}) => ({ name, instructions: `You are ${name}.`, model: name, ...more });
const [a, b, boss] = ['a', 'b', 'boss'].map((name) => agent(name));
const calls = (...named: [string, JsonObject?][]) => ({ calls: named.map(([name, args = {}]) => ({ name, arguments: args })) });
const json = JSON.stringify;
const ledger = (done: boolean, next: string) => {
  const entry = (answer: string | boolean) => ({ reason: 'so it is', answer });
  return json({
    is_request_satisfied: entry(done),
    is_in_loop: entry(false),
    is_progress_being_made: entry(true),
    next_speaker: entry(next),
    instruction_or_question: entry(`${next}, go on`),
  });
};

async function watched(
  pattern: string,
  input: object,
  script: Script,
  answer?: (world: World, id: string, screen: () => string) => Promise<void>,
) {
  await using world = await openWorld({ environment, script });
  const run = await world.client.start(pattern, { task: 'go', ...input } as RunInput);
  const { terminal, out } = recordedTerminal();
  const signal = new AbortController().signal;
  const context = { terminal, signal, next: (...words: string[]) => words.join(' ') } as unknown as Context;
  const place = { taskQueue: world.taskQueue, hasWorker: async () => true } as unknown as Place;
  const [{ last, lastReply }] = await Promise.all([watchToEnd(context, place, run, { hidesTask: true }), answer?.(world, run.id, out)]);
  return { text: out(), lastReply, last, id: run.id };
}

/** The first request that waits. */
async function asked(world: World, id: string): Promise<RequestView> {
  for (;;) {
    const open = (await world.client.attach(id).requests()).find(({ status }) => status === 'pending');
    if (open) return open;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

describe('nobody is held back by a decision', () => {
  test('of a classifier', async () => {
    const options = { classifier: { agent: boss }, routes: { tea: 'a', coffee: 'b' } };
    const { text, lastReply } = await watched(
      'routing',
      { agents: [a, b], options },
      { boss: [json({ label: 'tea', reason: 'leaves' })], a: ['A tea.'] },
    );

    expect(text).toBe('routing: a, b\n\nRoute: tea → a: leaves\n\na\nA tea.\n\n');
    expect(lastReply).toBe('A tea.');
  });

  test('of a manager of a group chat, whose answers could not be used at first', async () => {
    const { text, lastReply } = await watched(
      'groupChat',
      { agents: [a, b], options: { manager: { agent: boss } } },
      {
        boss: [
          json({ done: false, speaker: 'nobody' }),
          json({ done: false, speaker: 'a' }),
          json({ done: false, speaker: 'b' }),
          json({ done: true }),
        ],
        a: ['one'],
        b: ['two'],
      },
    );

    expect(text).toMatch(/^groupChat: a, b\n\nNot usable, from boss: [^\n]*\n\nNext: a\n\na\none\n\nNext: b\n\nb\ntwo\n\n$/);
    expect(lastReply).toBe('two');
  });

  test('of the manager of a magentic run, whose own answer is said', async () => {
    const { text, lastReply } = await watched(
      'magentic',
      { agents: [a, b], options: { manager: { agent: boss } } },
      {
        boss: [json({ text: 'tea is green' }), json({ text: '1. a looks' }), ledger(false, 'a'), ledger(true, ''), 'The answer.'],
        a: ['found'],
      },
    );

    expect(text).toMatch(
      /^magentic: [^\n]*\n\nPlan:\n1\. a looks\n\nTo a: a, go on\n\na\nfound\n\nThe task is done[^\n]*\n\nboss\nThe answer\.\n\n$/,
    );
    expect(lastReply).toBe('The answer.');
  });

  test('of whoever puts the output into its form', async () => {
    const output = { schema: { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }, agent: boss };
    const { text, lastReply } = await watched('sequential', { agents: [a], output }, { a: ['Forty.'], boss: [json({ n: 40 })] });

    expect(text).toBe('sequential: a\n\na\nForty.\n\n');
    expect(lastReply).toBe('Forty.');
  });
});

test('agents side by side are heard one after another', async () => {
  const { text } = await watched('concurrent', { agents: [a, b] }, { a: ['one one one'], b: ['two two two'] });

  expect(text).toMatch(/^concurrent: a, b\n\n(a\none one one\n\nb\ntwo two two|b\ntwo two two\n\na\none one one)\n\n$/);
});

test('whoever hands over has said so', async () => {
  const { text, lastReply } = await watched(
    'handoff',
    { agents: [a, b] },
    { a: [{ text: 'I pass.', ...calls(['transfer_to_b', { reason: 'b knows' }]) }], b: ['Done.'] },
  );

  expect(text).toBe('handoff: a, b\n\na\nI pass.\n\na hands over to b: b knows\n\nb\nDone.\n\n');
  expect(lastReply).toBe('Done.');
});

describe('a nested run', () => {
  test('is live: its words come before its question, which names what an answer takes at the top', async () => {
    const desk = { name: 'desk', pattern: 'handoff', agents: [b], options: { person: true } };
    let before = '';
    const { text, lastReply, id } = await watched(
      'sequential',
      { agents: [a, desk, boss] },
      { a: ['one'], b: ['Which one?', 'The red one, then.'], boss: ['four'] },
      async (world, runId, screen) => {
        const first = await asked(world, runId);
        while (!screen().includes('respond')) await new Promise((resolve) => setTimeout(resolve, 25));
        before = screen();
        await world.client.attach(runId).respond(first.requestId, 'The red one.', { by: 'anna' });
        for (let next = await asked(world, runId); ; next = await asked(world, runId)) {
          if (next.requestId === first.requestId) continue;
          return void (await world.client.attach(runId).respond(next.requestId, { end: true }));
        }
      },
    );

    const commands = (request: string) =>
      `desk › b asks you (${request}).\nanswer:  respond ${id} ${request} …\nend:     respond ${id} ${request} {"end":true}\n\n`;
    const asks = `sequential: a, desk, boss\n\na\none\n\ndesk › b\nWhich one?\n\n${commands('op-2~question-1')}`;
    expect(before).toBe(asks);
    expect(text).toBe(
      `${asks}op-2~question-1 is answered by anna: The red one.\n\ndesk › b\nThe red one, then.\n\n${commands('op-2~question-2')}` +
        'op-2~question-2 is answered: end\n\nboss\nfour\n\n',
    );
    expect(lastReply).toBe('four');
  });

  test('decides as well, and its decisions hold nobody back', async () => {
    const panel = { name: 'panel', pattern: 'groupChat', agents: [a, b], options: { manager: { agent: boss } } };
    const { text } = await watched(
      'sequential',
      { agents: [panel] },
      { boss: [json({ done: false, speaker: 'a' }), json({ done: false, speaker: 'b' }), json({ done: true })], a: ['one'], b: ['two'] },
    );

    expect(text).toBe('sequential: panel\n\npanel › Next: a\n\npanel › a\none\n\npanel › Next: b\n\npanel › b\ntwo\n\n');
  });

  test('is where the words of an agent come from that is used as a tool', async () => {
    const chief = agent('chief', { tools: [{ agent: { ...a, description: 'knows' } }] });
    const { text, lastReply } = await watched(
      'sequential',
      { agents: [chief] },
      { chief: [{ text: 'I ask.', ...calls(['ask_a', { message: 'How many?' }]) }, 'It is forty.'], a: ['Forty.'] },
    );

    expect(text).toBe('sequential: chief\n\nchief\nI ask.\n\na › chief: How many?\n\na\nForty.\n\nchief\nIt is forty.\n\n');
    expect(lastReply).toBe('It is forty.');
  });
});

test('a plan that waits for its review is shown once, with its lines and the commands', async () => {
  const { text, id } = await watched(
    'magentic',
    { agents: [a], options: { manager: { agent: boss }, planReview: true } },
    { boss: [json({ text: 'tea\nis green' }), json({ text: '1. look\n2. write' }), json({ text: '1. write' })] },
    async (world, runId) => {
      await asked(world, runId);
      await world.client.attach(runId).respond('plan-0-0', { decision: 'revise', feedback: 'Shorter.' });
      while ((await asked(world, runId)).requestId === 'plan-0-0');
      await world.client.attach(runId).respond('plan-0-1', 'reject');
    },
  );

  const asks = (n: number) =>
    `boss asks you (plan-0-${n}):\nWhat is known:\ntea\nis green\napprove:  respond ${id} plan-0-${n} approve\n` +
    `reject:   respond ${id} plan-0-${n} reject\nrevise:   respond ${id} plan-0-${n} {"decision":"revise","feedback":"…"}\n\n`;
  expect(text).toBe(
    `magentic: a\n\nPlan:\n1. look\n2. write\n\n${asks(0)}plan-0-0 is answered: revise: Shorter.\n\n` +
      `Plan:\n1. write\n\n${asks(1)}plan-0-1 is answered: reject\n\n`,
  );
});

test('Ctrl-C where the worker ends with the command: the run waits, and goes on as is said then', async () => {
  await using own = await ownServer();
  const run = startOstinato(['run', 'sequential', '--agents', 'analyst,writer', '--task', tea, '--id', 'tea/1'], own);
  await run.says(/analyst\n/);
  run.kill('SIGINT');
  const { code, err } = await run.ended;

  expect(err).toContain(
    'Stopped. The worker ended with this command, so the run waits. It goes on with:  npx ostinato dev\n' +
      'Watch it there, from another terminal:  npx ostinato watch tea/1\n',
  );
  expect(code).toBe(130);

  await using dev = startOstinato(['dev'], own);
  await dev.says('Try, in another terminal');
  expect(await ostinatoProcess(['watch', 'tea/1'], own)).toMatchObject({ code: 0, out: expect.stringMatching(/\nwriter\n[^]*1838/) });
});

const tea = 'In 1823 Robert Bruce found wild tea plants in Assam. The first 12 chests reached London in 1838.';
