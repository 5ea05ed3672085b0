/** Agents that ask people by a call of theirs. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AgentDefinition, RequestView } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import type { Json } from '../../../src/contract/json.js';
import type { ScriptedCall } from '../../../src/testing/index.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { openStage, type Stage } from '../../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const asks = (...given: { [key: string]: Json }[]) => ({ calls: given.map((args) => ({ name: 'ask_person', arguments: args })) });
const results = (call: ScriptedCall | undefined) => call?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
const start = async (agent: AgentDefinition, more: object = {}) =>
  await stage.world.client.start('sequential', { agents: [agent], task: 'go', ...more });

async function pending(run: RunHandle, count = 1): Promise<RequestView[]> {
  return await eventually(async () => {
    const open = (await run.requests()).filter(({ status }) => status === 'pending');
    expect(open).toHaveLength(count);
    return open;
  });
}

describe.concurrent('an agent that asks a person', () => {
  test('has a tool for it, and the answer is its result', async () => {
    const person = { assignee: 'ann', role: 'travel', description: 'Asks Ann.' };
    const { agent, calls } = stage.actor([asks({ question: 'Train or boat?' }), 'By boat, then.'], { tools: [{ person }] });
    const run = await start(agent);

    expect(await pending(run)).toMatchObject([
      {
        requestId: 'ask-1-1-0',
        kind: 'question',
        prompt: 'Train or boat?',
        agent: 'actor',
        assignee: ['ann'],
        role: 'travel',
        schema: { type: 'string', minLength: 1 },
      },
    ]);
    expect(calls[0]?.tools).toMatchObject([{ name: 'ask_person', description: 'Asks Ann.' }]);
    for (const wrong of ['', 7, { message: 'boat' }, 'x'.repeat(40_000)])
      await expect(run.respond('ask-1-1-0', wrong, { by: 'ann' })).rejects.toMatchObject({ type: 'Input.Invalid' });
    await environment.client.workflow.getHandle(run.id).signal('respond', { requestId: 'ask-1-1-0', response: 'Boat.', by: 'ann' });

    expect(await run.result()).toMatchObject({ output: 'By boat, then.' });
    expect(results(calls[1])).toEqual(['Boat.']);
  });

  test('may give choices, ask several things at once, and sleep meanwhile', async () => {
    const lines = [asks({ question: 'How?', choices: ['train', 'boat'] }, { question: 'When?' }), 'Good.'];
    const { agent, calls } = stage.actor(lines, { tools: [{ person: true }] });
    const run = await start(agent, { sleepAfter: '1 second' });
    await eventually(async () => expect(await run.status()).toMatchObject({ asleep: expect.anything() }));
    await expect(run.respond('ask-1-1-0', 'plane')).rejects.toMatchObject({ type: 'Input.Invalid', message: /"train" or "boat"/ });
    await run.respond('ask-1-1-1', 'Tomorrow');
    await run.respond('ask-1-1-0', 'train');

    expect(await run.result()).toMatchObject({ output: 'Good.' });
    expect(results(calls[1])).toEqual(['train', 'Tomorrow']);
  });

  test.each([
    [{}],
    [{ question: ' ' }],
    [{ question: 7 }],
    [{ question: 'How?', choices: 'train' }],
    [{ question: 'How?', choices: [7] }],
    [{ question: 'How?', choices: Array.from({ length: 1000 }, (_, i) => `${i}`) }],
  ])('is told what is wrong with its call, and nobody is asked: %j', async (given) => {
    const { agent, calls } = stage.actor([asks(given as { [key: string]: Json }), 'I see.'], { tools: [{ person: true }] });
    const run = await start(agent);

    expect(await run.result()).toMatchObject({ output: 'I see.' });
    expect(results(calls[1])).toEqual([expect.stringContaining('The arguments of "ask_person" are wrong')]);
    expect(await run.requests()).toEqual([]);
  });

  test('goes on without an answer when none comes in time, with another one, or not at all', async () => {
    const asking = (person: object) => {
      const { agent, calls } = stage.actor([asks({ question: 'How?' }), 'I see.'], {
        tools: [{ person: { timeout: '1 second', ...person } }],
      });
      return { run: start(agent), calls };
    };
    const [silent, answered, failing] = [asking({}), asking({ onTimeout: { answer: 'By train.' } }), asking({ onTimeout: 'fail' })];

    expect(await (await silent.run).result()).toMatchObject({ output: 'I see.' });
    expect(results(silent.calls[1])).toEqual(['Nobody has answered. Go on without an answer.']);
    expect(await (await answered.run).result()).toMatchObject({ output: 'I see.' });
    expect(results(answered.calls[1])).toEqual(['By train.']);
    await expect((await failing.run).result()).rejects.toMatchObject({ type: 'Request.Expired' });
  });

  test('cannot have two tools of one name', async () => {
    const { agent } = stage.actor([], { tools: [{ person: true }, { person: { role: 'finance' } }] });

    await expect(start(agent).then((run) => run.result())).rejects.toMatchObject({
      message: expect.stringContaining('two of them are called "ask_person"'),
    });
  });
});
