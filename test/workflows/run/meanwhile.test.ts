/** What becomes of a message that is said to a session while a person is asked something. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { AgentDefinition, RunEvent } from '../../../src/index.js';
import type { SessionHandle } from '../../../src/client.js';
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

const asks = { calls: [{ name: 'ask_person', arguments: { question: 'Train or boat?' } }] };
const results = (call: ScriptedCall | undefined) => call?.messages.filter(({ role }) => role === 'tool').map(({ content }) => content);
const talk = (agent: AgentDefinition, whilePending?: string, more: object = {}) =>
  stage.world.client.session(agent, randomUUID(), { ...(whilePending && { options: { whilePending: whilePending as never } }), ...more });
const plain = (session: SessionHandle) => environment.client.workflow.getHandle(session.id);

async function asked(session: SessionHandle, requestId = 'ask-1-1-0'): Promise<void> {
  await eventually(async () => expect((await session.status()).requests).toEqual([requestId]));
}

async function eventsOf(session: SessionHandle): Promise<RunEvent[]> {
  const { firstRunId } = await session.status();
  return await stage.world.store.events.read({ workflowId: session.id, firstRunId }, { epoch: 0, seq: 0 }, { limit: 5000 });
}

describe.concurrent('a message that is said while a person is asked', () => {
  test('is not taken, unless it was taken already', async () => {
    const { agent, calls } = stage.actor([asks, 'By boat.', 'Hello.'], { tools: [{ person: true }] });
    const session = talk(agent);
    const first = session.say('Travel!', { id: 'one' });
    await asked(session);

    await expect(session.say('Hello?')).rejects.toMatchObject({ type: 'Request.Pending', message: expect.stringContaining('ask-1-1-0') });
    await plain(session).signal('say', { message: 'Hello?' });
    await session.send('Travel!', 'one');
    expect(await session.status()).toMatchObject({ inbox: 0 });
    await session.respond('ask-1-1-0', 'boat');

    expect((await first).reply).toBe('By boat.');
    expect((await session.say('Hello?')).reply).toBe('Hello.');
    expect(calls).toHaveLength(3);
    expect((await eventsOf(session)).filter(({ type }) => type === 'input.refused')).toMatchObject([{ handler: 'say' }]);
    await session.cancel();
  });

  test('is heard after the turn, where it may queue', async () => {
    const { agent } = stage.actor([asks, 'By boat.', 'Hello.'], { tools: [{ person: true }] });
    const session = talk(agent, 'queue');
    const first = session.say('Travel!');
    await asked(session);
    const second = session.say('Hello?');
    await eventually(async () => expect(await session.status()).toMatchObject({ inbox: 1, requests: ['ask-1-1-0'] }));
    await session.respond('ask-1-1-0', 'boat');

    expect((await first).reply).toBe('By boat.');
    expect((await second).reply).toBe('Hello.');
    await session.cancel();
  });

  test.each([undefined, '1 second'])('takes the place of what was asked, where it may: sleepAfter %s', async (sleepAfter) => {
    const { agent, calls } = stage.actor([asks, asks, 'Never mind.', 'Hello.'], { tools: [{ person: true }] });
    const session = talk(agent, 'supersede', sleepAfter ? { sleepAfter } : {});
    const first = session.say('Travel!');
    await asked(session);
    if (sleepAfter) await eventually(async () => expect(await session.status()).toMatchObject({ asleep: expect.anything() }));

    expect((await session.say('Hello?')).reply).toBe('Hello.');
    expect((await first).reply).toBe('Never mind.');
    expect(results(calls[1])).toEqual(['The question was withdrawn: something new was said.']);
    expect(results(calls[2])?.at(-1)).toBe('Nobody was asked: something new was said.');
    await expect(session.respond('ask-1-1-0', 'boat')).rejects.toMatchObject({ type: 'Request.NotPending' });
    expect(await session.requests()).toMatchObject([{ status: 'withdrawn' }]);
    expect((await eventsOf(session)).filter(({ type }) => type === 'request.withdrawn')).toMatchObject([{ requestId: 'ask-1-1-0' }]);
    await session.cancel();
  });

  test('takes the place of what a run within has asked, and of a review', async () => {
    const helper = stage.actor([asks], { name: 'helper', tools: [{ person: true }] });
    const { agent } = stage.actor(
      [{ calls: [{ name: 'ask_helper', arguments: { message: 'How?' } }] }, 'Never mind.', 'A draft.', 'Hello.'],
      { name: 'host', tools: [{ agent: helper.agent }], review: { timeout: '1 minute' } },
    );
    const session = talk(agent, 'supersede');
    await session.send('Travel!', 'one');
    await eventually(async () => expect((await session.status()).requests).toEqual([expect.stringMatching(/^op-.*~ask-1-1-0$/)]));
    await session.send('Write!', 'two');
    // The first turn comes to its end, and what it says is reviewed; that gives way to the next message as well.
    await asked(session, 'review-1-0');
    await session.send('Hello?', 'three');
    await eventually(async () => expect(await session.turn('one')).toMatchObject({ status: 'failed', failure: { type: 'Turn.Rejected' } }));
    await asked(session, 'review-2-0');
    await session.respond('review-2-0', 'approve');
    await eventually(async () => expect(await session.turn('two')).toMatchObject({ status: 'completed', reply: 'A draft.' }));
    await session.cancel();
  });
});
