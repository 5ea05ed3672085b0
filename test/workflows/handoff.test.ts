import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent, defineTool, textOf, type RunEvent } from '../../src/index.js';
import type { RunHandle } from '../../src/client.js';
import type { RunInput } from '../../src/contract/run.js';
import type { HttpModelReply } from '../../src/llm/http-model.js';
import { openWorld, type ScriptedCall, type World } from '../support/world.js';
import { problemsOfDocument } from '../state/contract-rules.js';
import { documentOf } from '../support/agent-state.js';
import { devServer, timeSkippingServer } from '../support/servers.js';
import { z } from 'zod';

let environment: TestWorkflowEnvironment;
/** For what is asked while a run continues as new, and for workers that are lost. */
let server: TestWorkflowEnvironment;
beforeAll(async () => {
  [environment, server] = await Promise.all([timeSkippingServer(), devServer()]);
});
afterAll(async () => {
  await environment?.teardown();
  await server?.teardown();
});

const agent = (name: string, more: object = {}) => defineAgent({ name, instructions: `You are ${name}.`, model: name, ...more });
const triage = agent('triage', { description: 'Finds out what it is about.' });
const billing = agent('billing', { description: 'Refunds and invoices.' });
const support = agent('support', { description: 'Broken things.' });
const desk = [triage, billing, support];
const names = ['triage', 'billing', 'support'];

const over = (to: string, text?: string, reason?: string): HttpModelReply => ({
  ...(text !== undefined && { text }),
  calls: [{ name: `transfer_to_${to}`, arguments: reason === undefined ? {} : { reason } }],
});
const done = (summary: string, text?: string): HttpModelReply => ({
  ...(text !== undefined && { text }),
  calls: [{ name: 'complete_task', arguments: { summary } }],
});

async function start(world: World, more: Partial<RunInput<'handoff'>> = {}): Promise<RunHandle> {
  return await world.client.start('handoff', { agents: names, task: 'I was charged twice', ...more });
}

/** Who was asked, in order. */
const speakers = ({ model }: World) => model.calls.map((call) => call.model);

/** What a model was shown, a line each: `assistant: words [call] (result)`. */
function shown({ messages }: ScriptedCall): string[] {
  return messages
    .slice(1)
    .map(({ role, content, calls }) => [`${role}:`, content, ...(calls ?? []).map(({ name }) => `<${name}>`)].join(' '));
}

/** The rule of every provider: calls are followed at once by their results, each by one, and no result stands alone. */
function expectProviderValid({ model }: World): void {
  for (const { messages } of model.calls) {
    let open: string[] = [];
    for (const { role, calls = [], callId } of messages) {
      if (role === 'tool') {
        expect(open).toContain(callId);
        open = open.filter((id) => id !== callId);
      } else {
        expect(open).toEqual([]);
        open = calls.map(({ id }) => id);
      }
    }
    expect(open).toEqual([]);
  }
}

async function eventsOf(run: RunHandle): Promise<RunEvent[]> {
  const events: RunEvent[] = [];
  for await (const event of run.watch()) events.push(event);
  return events;
}

/** The id of the request that waits, once one does. */
async function asked(run: RunHandle): Promise<string> {
  for (;;) {
    const open = (await run.requests()).find(({ status }) => status === 'pending');
    if (open) return open.requestId;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

async function expectValidDocuments(run: RunHandle): Promise<void> {
  for (const name of (await run.status()).agents) expect(problemsOfDocument(await run.agentState(name))).toEqual([]);
}

describe('handoff', () => {
  test('the first agent speaks first, and its answer is the output', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['We are open at nine.'] } });

    const run = await start(world);

    expect(await run.result()).toMatchObject({
      status: 'completed',
      stopReason: { code: 'completed' },
      output: 'We are open at nine.',
      rounds: 1,
    });
    expect(speakers(world)).toEqual(['triage']);
  });

  test('an agent that is handed the conversation hears what was said, and nothing of calls', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing', 'One moment.', 'a refund')], billing: ['You get it back.'] },
    });

    const run = await start(world);

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'You get it back.', rounds: 2 });
    expect(speakers(world)).toEqual(['triage', 'billing']);
    expect(shown(world.model.calls[1]!)).toEqual(['user: I was charged twice', 'user: [triage]\nOne moment.']);
    expect((await eventsOf(run)).find(({ type }) => type === 'handoff.made')).toMatchObject({
      from: 'triage',
      to: 'billing',
      reason: 'a refund',
    });
    expect((await run.transcript()).map(({ message, ends }) => [textOf(message), ends])).toEqual([
      ['I was charged twice', undefined],
      ['One moment.', undefined],
      ['', { handoff: 'billing' }],
      ['You get it back.', undefined],
    ]);
    await expectValidDocuments(run);
  });

  test('who gets the conversation back sees its own call, answered', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing'), 'It is settled.'], billing: [over('triage', 'Paid back.')] },
    });

    const run = await start(world);

    expect((await run.result()).output).toBe('It is settled.');
    expect(shown(world.model.calls[2]!)).toEqual([
      'user: I was charged twice',
      'assistant:  <transfer_to_billing>',
      'tool: the conversation goes over to billing.',
      'user: [billing]\nPaid back.',
    ]);
    expectProviderValid(world);
    const { conversationHistory } = (await documentOf(run, 'triage')).data;
    expect(conversationHistory.map(({ $type, messages }) => [$type, messages.length])).toEqual([
      ['request', 1],
      ['response', 2],
      ['request', 1],
      ['response', 1],
    ]);
    await expectValidDocuments(run);
  });

  test('an agent whose last turn is a handoff has that turn in its document', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: [over('billing')], billing: [done('Paid.')] } });

    const run = await start(world);
    await run.result();

    for (const name of ['triage', 'billing']) {
      const { conversationHistory } = (await documentOf(run, name)).data;
      expect(conversationHistory.map(({ $type }) => $type)).toEqual(['request', 'response']);
      expect(conversationHistory[1]?.messages.flatMap(({ contents }) => contents.map(({ $type }) => $type))).toEqual([
        'functionCall',
        'functionResult',
      ]);
    }
    expect((await documentOf(run, 'support')).data.conversationHistory).toEqual([]);
    await expectValidDocuments(run);
  });

  test('what an agent summed up is the output when it said nothing else, whatever others said on the way', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing', 'One moment.')], billing: [done('Paid back 12 euros.')] },
    });

    expect(await (await start(world)).result()).toMatchObject({ status: 'completed', output: 'Paid back 12 euros.', rounds: 2 });
  });

  test('what an agent said itself counts more than how it sums up', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing')], billing: [done('Refund.', 'You get 12 euros back.')] },
    });

    expect((await (await start(world)).result()).output).toBe('You get 12 euros back.');
  });

  test('of several moves the first is made, and the others are told so', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: {
        triage: [
          {
            calls: [
              { name: 'transfer_to_support', arguments: {} },
              { name: 'transfer_to_billing', arguments: {} },
              { name: 'complete_task', arguments: { summary: 'nothing' } },
            ],
          },
          'Fine.',
        ],
        support: [over('triage')],
      },
    });

    const run = await start(world);

    expect((await run.result()).output).toBe('Fine.');
    expect(speakers(world)).toEqual(['triage', 'support', 'triage']);
    expect(shown(world.model.calls[2]!).slice(1)).toEqual([
      'assistant:  <transfer_to_support> <transfer_to_billing> <complete_task>',
      'tool: the conversation goes over to support.',
      'tool: Ignored: the conversation goes over to support.',
      'tool: Ignored: the conversation goes over to support.',
    ]);
    expectProviderValid(world);
    await expectValidDocuments(run);
  });

  test('tools of the same reply run before the move, wherever they stand, and their results are kept', async () => {
    const ran: string[] = [];
    const look = defineTool({
      name: 'look',
      description: 'Looks an order up.',
      input: z.object({ order: z.string() }),
      run: ({ order }) => {
        ran.push(order);
        if (order === 'lost') throw new Error('no such order');
        return `order ${order} was paid twice`;
      },
    });
    await using world = await openWorld({
      environment,
      agents: [agent('triage', { tools: [look] }), billing],
      script: {
        triage: [
          {
            calls: [
              { name: 'transfer_to_billing', arguments: {} },
              { name: 'look', arguments: { order: '7' } },
              { name: 'look', arguments: { order: 'lost' } },
            ],
          },
          'Done.',
        ],
        billing: [() => (expect([...ran].sort()).toEqual(['7', 'lost']), over('triage'))],
      },
    });

    const run = await start(world, { agents: ['triage', 'billing'] });

    expect((await run.result()).output).toBe('Done.');
    expect(JSON.stringify(world.model.calls[1]?.messages)).not.toContain('paid twice');
    expect(shown(world.model.calls[2]!)).toEqual([
      'user: I was charged twice',
      'assistant:  <transfer_to_billing> <look> <look>',
      'tool: the conversation goes over to billing.',
      'tool: order 7 was paid twice',
      'tool: The tool "look" failed: no such order',
    ]);
    expectProviderValid(world);
    await expectValidDocuments(run);
  });

  test('an agent that is asked as a tool in the same reply answers before the move', async () => {
    await using world = await openWorld({
      environment,
      agents: [agent('triage', { tools: [{ agent: agent('archive') }] }), billing],
      script: {
        triage: [
          {
            calls: [
              { name: 'transfer_to_billing', arguments: {} },
              { name: 'ask_archive', arguments: { message: 'Order 7?' } },
            ],
          },
          'Done.',
        ],
        archive: ['Paid twice.'],
        billing: [over('triage')],
      },
    });

    expect((await (await start(world, { agents: ['triage', 'billing'] })).result()).output).toBe('Done.');
    expect(speakers(world)).toEqual(['triage', 'archive', 'billing', 'triage']);
    expect(shown(world.model.calls[3]!).slice(2)).toEqual(['tool: the conversation goes over to billing.', 'tool: Paid twice.']);
    expectProviderValid(world);
  });

  test('a target that the model invents is fed back, and the agent tries again', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('refunds'), over('billing')], billing: ['Here you are.'] },
    });

    expect(await (await start(world)).result()).toMatchObject({ output: 'Here you are.', rounds: 2 });
    expect(shown(world.model.calls[1]!).at(-1)).toBe(
      'tool: There is no tool "transfer_to_refunds". You may use: transfer_to_billing, transfer_to_support, complete_task.',
    );
    expectProviderValid(world);
  });

  test('a model that invents targets again and again has to answer in the end', async () => {
    await using world = await openWorld({
      environment,
      agents: [agent('triage', { maxToolRounds: 3 }), billing],
      script: { triage: (call) => (call.toolChoice === 'none' ? 'I cannot help.' : over('nobody')) },
    });

    const run = await start(world, { agents: ['triage', 'billing'] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'I cannot help.', rounds: 1 });
    expect(world.model.calls).toHaveLength(4);
  });

  test('arguments that are broken or missing keep no move from being made', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: {
        triage: [{ text: 'One moment.', calls: [{ name: 'transfer_to_billing', arguments: '{"reason": "half' }] }],
        billing: [{ calls: [{ name: 'complete_task', arguments: { summary: 7 } }] }],
      },
    });

    // Nothing else was said.
    expect(await (await start(world)).result()).toMatchObject({ status: 'completed', output: 'One moment.', rounds: 2 });
  });

  test('a follow-up starts where it is told to', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing')], billing: ['Paid back.', 'In three days.'] },
    });
    const first = await start(world);
    await first.result();

    const second = await start(world, { task: 'When?', conversation: first.id, options: { start: 'billing' } });

    expect((await second.result()).output).toBe('In three days.');
    expect(shown(world.model.calls[2]!)).toEqual(['user: I was charged twice', 'assistant: Paid back.', 'user: When?']);
    await expectValidDocuments(second);
  });
});

describe('whom an agent may hand over to', () => {
  const offered = async (more: Partial<RunInput<'handoff'>>, agents = desk) => {
    await using world = await openWorld({ environment, agents, script: (call) => `I am ${call.model}.` });
    const tools: { [name: string]: { name: string; description: string }[] } = {};
    for (const { name } of agents) {
      await (await start(world, { ...more, agents: agents.map((one) => one.name), options: { ...more.options, start: name } })).result();
      tools[name] = world.model.calls.at(-1)!.tools;
    }
    return (name: string) => tools[name]!.map((tool) => `${tool.name}: ${tool.description}`);
  };
  const complete = 'complete_task: Ends the conversation when there is nothing left to do.';

  test('is everybody but itself when nobody says anything', async () => {
    const of = await offered({});

    expect(of('triage')).toEqual([
      'transfer_to_billing: Hands the conversation over to billing. Refunds and invoices.',
      'transfer_to_support: Hands the conversation over to support. Broken things.',
      complete,
    ]);
    expect(of('support').map((line) => line.split(':')[0])).toEqual(['transfer_to_triage', 'transfer_to_billing', 'complete_task']);
  });

  test('is what the options say, with when, and nobody else', async () => {
    const of = await offered({
      options: { handoffs: { triage: { support: 'When a thing is broken.' }, billing: ['triage'] }, completeTask: false },
    });

    expect(of('triage')).toEqual(['transfer_to_support: Hands the conversation over to support. When a thing is broken.']);
    expect(of('billing')).toEqual(['transfer_to_triage: Hands the conversation over to triage. Finds out what it is about.']);
    expect(of('support')).toEqual([]);
  });

  test('is what agents say of themselves, and what the options add', async () => {
    const of = await offered({ options: { handoffs: { support: ['triage'] } } }, [
      agent('triage', { handoffs: ['billing'] }),
      billing,
      support,
    ]);

    expect(of('triage').map((line) => line.split(':')[0])).toEqual(['transfer_to_billing', 'complete_task']);
    expect(of('billing')).toEqual([complete]);
    expect(of('support').map((line) => line.split(':')[0])).toEqual(['transfer_to_triage', 'complete_task']);
  });

  test('may be an orchestration, whose turn is its answer', async () => {
    await using world = await openWorld({
      environment,
      agents: [triage, billing],
      script: { triage: [over('panel', 'Asking the panel.')], billing: ['It is paid.'] },
    });

    const run = await start(world, { agents: ['triage', { name: 'panel', pattern: 'sequential', agents: ['billing'] }] });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'It is paid.', rounds: 2 });
    expect(world.model.calls[1]?.heard('triage', 'Asking the panel.')).toBe(true);
    await expectValidDocuments(run);
  });

  test('is never staff, which takes no turns', async () => {
    await using world = await openWorld({
      environment,
      agents: [triage, billing],
      script: { triage: ['Twelve.'], scripted: ['{"euros": 12}'] },
    });

    const run = await start(world, {
      agents: ['triage', 'billing'],
      output: { from: 'conversation', schema: { type: 'object', properties: { euros: { type: 'number' } }, required: ['euros'] } },
    });

    expect((await run.result()).output).toEqual({ euros: 12 });
    expect(world.model.calls[0]?.tools.map(({ name }) => name)).toEqual(['transfer_to_billing', 'complete_task']);
  });

  test.each([
    ['a start that is nobody', { start: 'sales' }, 'options.start: names "sales", who is not among the agents'],
    ['a source that is nobody', { handoffs: { sales: ['billing'] } }, 'options.handoffs.sales: names "sales"'],
    [
      'a target that is nobody',
      { handoffs: { triage: ['bilinng'] } },
      'names "bilinng", who is not among the agents; did you mean "billing"?',
    ],
    ['an agent and itself', { handoffs: { triage: ['triage'] } }, 'options.handoffs.triage[0]: is the agent itself'],
    [
      'an agent and itself, described',
      { handoffs: { triage: { triage: 'always' } } },
      'options.handoffs.triage.triage: is the agent itself',
    ],
    ['the same target twice', { handoffs: { triage: ['billing', 'billing'] } }, 'options.handoffs.triage[1]: is there twice'],
    ['no turns at all', { maxTurns: 0 }, 'options.maxTurns'],
  ])('%s is refused before anything starts', async (_, options, message) => {
    await using world = await openWorld({ environment, agents: desk });

    await expect(start(world, { options })).rejects.toMatchObject({ type: 'Input.Invalid', message: expect.stringContaining(message) });
  });

  const long = 'b'.repeat(60);
  test.each([
    ['itself', [agent('triage', { handoffs: ['triage'] }), billing], 'agents[0].handoffs: names "triage" itself'],
    ['nobody', [agent('triage', { handoffs: ['sales'] }), billing], 'agents[0].handoffs: names "sales", who is not among the agents'],
    ['somebody twice', [triage, agent('billing', { handoffs: ['triage', 'triage'] })], 'agents[1].handoffs: names "triage" twice'],
    ['a name too long to be called', [triage, agent(long)], `agents[0]: would call transfer_to_${long}, and providers take 64 characters`],
  ])('an agent that hands over to %s fails the run at once', async (_, agents, message) => {
    await using world = await openWorld({ environment, agents });

    const run = await start(world, { agents: agents.map(({ name }) => name) });

    await expect(run.result()).rejects.toMatchObject({ message: expect.stringContaining(message) });
    expect(world.model.calls).toEqual([]);
  });

  test.each(['transfer_to_billing', 'complete_task'])('a tool that is called %s as well fails the run at once', async (name) => {
    const tool = defineTool({ name, description: 'Mine.', input: z.object({}), run: () => 'mine' });
    await using world = await openWorld({ environment, agents: [agent('triage', { tools: [tool] }), billing] });

    const run = await start(world, { agents: ['triage', 'billing'] });

    await expect(run.result()).rejects.toMatchObject({
      message: expect.stringContaining(`agents[0].tools: "${name}" is what the pattern calls a move of its own; rename the tool`),
    });
  });
});

describe('a handoff run that could go on for ever', () => {
  test('ends when two agents hand over to each other too often', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: (call) => (call.model === 'triage' ? over('billing', 'Not mine.') : over('triage')),
    });

    const run = await start(world, { options: { maxReturns: 2 } });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.returns', message: 'billing and triage handed over to each other 3 times in a row.' },
      output: 'Not mine.',
      rounds: 4,
    });
    expect(speakers(world)).toEqual(['triage', 'billing', 'triage', 'billing']);
  });

  test('ends after eight returns when nobody says otherwise', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: (call) => (call.model === 'triage' ? over('billing') : over('triage')),
    });

    expect(await (await start(world)).result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.returns' },
      rounds: 10,
      output: null,
    });
  });

  test('may go round three agents until its turns are used up', async () => {
    const next = { triage: 'billing', billing: 'support', support: 'triage' } as const;
    await using world = await openWorld({ environment, agents: desk, script: (call) => over(next[call.model as keyof typeof next]) });

    const run = await start(world, { options: { maxTurns: 7, maxReturns: 1 } });

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' }, rounds: 7 });
    expect(speakers(world)).toEqual([...names, ...names, 'triage']);
  });

  test('ends at the limits of every run', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: (call) => ({
        ...(call.model === 'triage' ? over('billing', 'Hm.') : over('triage')),
        usage: { inputTokens: 50, outputTokens: 50 },
      }),
    });

    const byTurns = await start(world, { limits: { turns: 3 } });
    expect(await byTurns.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' }, rounds: 3, output: 'Hm.' });
    const byTokens = await start(world, { limits: { tokens: 250 } });
    expect(await byTokens.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.tokens' }, rounds: 3, output: 'Hm.' });
  });

  test('ends when it meets a condition, and has what was said', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: [over('billing', 'A person will look at it.')] } });

    const run = await start(world, { termination: { type: 'handoffTo', target: 'billing' } });

    expect(await run.result()).toMatchObject({
      status: 'completed',
      stopReason: { code: 'condition', conditions: [{ type: 'handoffTo' }] },
      output: 'A person will look at it.',
    });
    expect(speakers(world)).toEqual(['triage']);
    await expectValidDocuments(run);
  });
});

describe('an agent on its own', () => {
  test('is told to go on until it hands over or completes', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: ['Let me think.', over('billing')], billing: ['Looking.', 'Paid back.', done('Paid.')] },
    });

    const run = await start(world, { options: { autonomous: { prompt: 'Go on.' } } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Paid back.', rounds: 5 });
    expect(shown(world.model.calls[1]!)).toEqual(['user: I was charged twice', 'assistant: Let me think.', 'user: Go on.']);
    // It was said to the other one.
    expect(shown(world.model.calls[2]!)).toEqual(['user: I was charged twice', 'user: [triage]\nLet me think.']);
    await expectValidDocuments(run);
  });

  test('is told so as often as the options say; then its reply is the answer', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['One.', 'Two.', 'Three.'] } });

    const run = await start(world, { options: { autonomous: { turns: 2 } } });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Three.', rounds: 3 });
  });

  test('is told so anew after a handoff', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: ['One.', over('billing')], billing: ['Two.', 'Three.'] },
    });

    expect(await (await start(world, { options: { autonomous: { turns: 1 } } })).result()).toMatchObject({ output: 'Three.', rounds: 4 });
  });

  test('never ends beyond the most turns', async () => {
    await using world = await openWorld({ environment, agents: desk, script: () => 'Hm.' });

    expect(await (await start(world, { options: { autonomous: true } })).result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.turns' },
      output: 'Hm.',
      rounds: 50,
    });
  });

  test('asks a person when it was told often enough', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['One.', 'Which order?', 'Three.', done('ok')] } });

    const run = await start(world, { options: { autonomous: { turns: 1 }, person: true } });
    const requestId = await asked(run);
    expect(await run.requests()).toMatchObject([{ prompt: 'Which order?', agent: 'triage' }]);
    await run.respond(requestId, 'Number 7');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Three.', rounds: 4 });
  });
});

describe('a person', () => {
  test('answers the agent that asked, also after handoffs', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing')], billing: ['Which order?', done('ok', 'Order 7 is paid back.')] },
    });

    const run = await start(world, { options: { person: true } });
    const requestId = await asked(run);
    expect(await run.status()).toMatchObject({ status: 'waiting', requests: [requestId] });
    await run.respond(requestId, 'Number 7', { by: 'anna' });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Order 7 is paid back.', rounds: 3 });
    expect(speakers(world)).toEqual(['triage', 'billing', 'billing']);
    expect(shown(world.model.calls[2]!)).toEqual(['user: I was charged twice', 'assistant: Which order?', 'user: [anna]\nNumber 7']);
    await expectValidDocuments(run);
  });

  test('is heard by the first agent when answers return to the start', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing'), done('ok', 'Thank you.')], billing: ['Which order?'] },
    });

    const run = await start(world, { options: { person: true, returnTo: 'start' } });
    await run.respond(await asked(run), 'Number 7');

    expect((await run.result()).output).toBe('Thank you.');
    expect(speakers(world)).toEqual(['triage', 'billing', 'triage']);
    expect(shown(world.model.calls[2]!).slice(-2)).toEqual(['user: [billing]\nWhich order?', 'user: Number 7']);
    expectProviderValid(world);
  });

  test('may end it, with a last word that is not the output', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['Anything else?'] } });

    const run = await start(world, { options: { person: true } });
    await run.respond(await asked(run), { message: 'No, thank you.', end: true });

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Anything else?', rounds: 1 });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual([
      'I was charged twice',
      'Anything else?',
      'No, thank you.',
    ]);
  });

  test.each([
    ['the pattern', { options: { person: true, maxTurns: 1 } }],
    ['the run', { options: { person: true }, limits: { turns: 1 } }],
  ])('is not asked when %s has no turn left to hear the answer', async (_, more) => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['Which order?'] } });

    const run = await start(world, more);

    expect(await run.result()).toMatchObject({ status: 'stopped', stopReason: { code: 'limit.turns' }, output: 'Which order?', rounds: 1 });
    expect(await run.requests()).toEqual([]);
  });

  test('is not asked when a condition has ended it', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['GOODBYE'] } });

    const run = await start(world, { options: { person: true }, termination: { type: 'textMention', text: 'GOODBYE' } });

    expect(await run.result()).toMatchObject({ status: 'completed', stopReason: { code: 'condition' }, output: 'GOODBYE' });
    expect(await run.requests()).toEqual([]);
  });

  test('whose words meet a condition ends it, and no agent speaks any more', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: ['Anything else?'] } });

    const run = await start(world, { options: { person: true }, termination: { type: 'textMention', text: 'goodbye', includeTask: true } });
    await run.respond(await asked(run), 'goodbye');

    expect(await run.result()).toMatchObject({ stopReason: { code: 'condition' }, output: 'Anything else?', rounds: 1 });
  });

  test('who speaks between two returns is no ping-pong', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing'), over('billing')], billing: [over('triage'), 'Which order?', over('triage')] },
    });

    const run = await start(world, { options: { person: true, maxReturns: 2, maxTurns: 5 } });
    await run.respond(await asked(run), 'Number 7');

    // Two returns before, and one after, which counts anew.
    expect(await run.result()).toMatchObject({ stopReason: { code: 'limit.turns' }, rounds: 5 });
  });
});

describe('a handoff run that is cancelled', () => {
  test('lets the turn in flight finish after a handoff, and starts nothing after it', async () => {
    let begun: (run: RunHandle) => void = () => undefined;
    const started = new Promise<RunHandle>((resolve) => (begun = resolve));
    await using world = await openWorld({
      environment,
      agents: desk,
      script: {
        triage: [over('billing')],
        billing: [
          async () => {
            expect(await (await started).cancel({ reason: 'enough' })).toEqual({ status: 'cancelling' });
            return over('support', 'Over to support.');
          },
        ],
      },
    });

    const run = await start(world);
    begun(run);

    expect(await run.result()).toMatchObject({
      status: 'cancelled',
      stopReason: { message: 'enough' },
      output: 'Over to support.',
      rounds: 2,
    });
    expect(speakers(world)).toEqual(['triage', 'billing']);
    await expectValidDocuments(run);
    expect(await run.cancel()).toEqual({ status: 'cancelled' });
  });

  test('breaks the turn in flight off when it must be at once', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: [over('billing')], billing: [{ hang: true }] } });

    const run = await start(world);
    await world.model.called(2);
    await run.cancel({ mode: 'immediate' });

    expect(await run.result()).toMatchObject({ status: 'cancelled', rounds: 2 });
    await world.model.aborted(1);
    await expectValidDocuments(run);
  });

  test('ends while it waits for a person', async () => {
    await using world = await openWorld({ environment, agents: desk, script: { triage: [over('billing')], billing: ['Which order?'] } });

    const run = await start(world, { options: { person: true } });
    await asked(run);
    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: 'Which order?' });
    expect(await run.requests()).toMatchObject([{ status: 'withdrawn' }]);
  });
});

describe('a handoff run that continues as new after every few events', () => {
  test('has the same turns, counts the same returns and waits for the same person', async () => {
    const look = defineTool({ name: 'look', description: 'Looks.', input: z.object({}), run: () => 'paid twice' });
    await using world = await openWorld({
      environment: server,
      historyEvents: 5,
      agents: [agent('triage', { tools: [look] }), billing, support],
      script: {
        triage: [{ calls: [{ name: 'look', arguments: {} }] }, over('billing', 'One moment.'), over('billing')],
        billing: [over('triage'), 'Which order?', done('Paid back.', 'Done.')],
      },
    });

    const run = await start(world, { options: { person: true, maxReturns: 2 } });
    await run.respond(await asked(run), 'Number 7');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Done.', rounds: 5 });
    expect(speakers(world)).toEqual(['triage', 'triage', 'billing', 'triage', 'billing', 'billing']);
    expect((await run.checkpoint()).continuations).toBeGreaterThanOrEqual(3);
    expectProviderValid(world);
    await expectValidDocuments(run);
    world.model.assertComplete();
  });

  test('still sees the ping-pong', async () => {
    await using world = await openWorld({
      environment,
      historyEvents: 5,
      agents: desk,
      script: (call) => (call.model === 'triage' ? over('billing') : over('triage')),
    });

    expect(await (await start(world, { options: { maxReturns: 3 } })).result()).toMatchObject({
      stopReason: { code: 'limit.returns' },
      rounds: 5,
    });
  });
});

describe('a handoff run whose worker is lost', () => {
  test('goes on at another one, and asks no model twice', async () => {
    await using world = await openWorld({
      environment: server,
      agents: desk,
      script: { triage: [over('billing', 'One moment.')], billing: ['Which order?', done('ok', 'Done.')] },
    });

    const run = await start(world, { options: { person: true } });
    const requestId = await asked(run);
    await world.worker.stop();
    await world.startWorker();
    await run.respond(requestId, 'Number 7');

    expect(await run.result()).toMatchObject({ status: 'completed', output: 'Done.', rounds: 3 });
    expect(world.model.calls).toHaveLength(3);
  });
});

describe('a handoff run that fails', () => {
  test('ends with the failure of the agent that spoke, and keeps what was said', async () => {
    await using world = await openWorld({
      environment,
      agents: desk,
      script: { triage: [over('billing', 'One moment.')], billing: [{ status: 401, body: { error: { message: 'bad key' } } }] },
    });

    const run = await start(world);

    await expect(run.result()).rejects.toMatchObject({ type: 'Model.Refused' });
    expect((await run.transcript()).map(({ message }) => textOf(message))).toEqual(['I was charged twice', 'One moment.', '']);
    await expectValidDocuments(run);
  });
});
