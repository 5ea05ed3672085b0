/** Agents that bring along what they have heard and said elsewhere: in .NET, in Python, or in another run. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { isTurn, parseAgentState, serializeAgentState } from '../../../src/index.js';
import { openWorld } from '../../support/world.js';
import { timeSkippingServer } from '../../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const fixture = async (name: string) => await readFile(new URL(`../../fixtures/agent-state/${name}.json`, import.meta.url), 'utf8');
const agent = (name: string) => ({ name, model: name, instructions: `You are ${name}.` });

const greeting = JSON.stringify({
  schemaVersion: '1.1.0',
  data: {
    conversationHistory: [
      {
        $type: 'request',
        correlationId: 'first-turn',
        createdAt: '2026-01-29T09:32:10.1234567+00:00',
        responseType: 'text',
        messages: [{ contents: [{ $type: 'text', text: 'My name is Ada.' }], role: 'user' }],
      },
      {
        $type: 'response',
        correlationId: 'first-turn',
        createdAt: '2026-01-29T09:32:11+00:00',
        usage: { inputTokenCount: 12, reasoningTokenCount: 3 },
        messages: [{ authorName: 'Clerk', contents: [{ $type: 'text', text: 'Hello, Ada.', 'x-score': 0.1 }], role: 'assistant' }],
      },
    ],
    expirationTimeUtc: '2026-02-28T09:32:10.9Z',
  },
}).replace('"reasoningTokenCount":3', '"reasoningTokenCount":9007199254740993');

describe('a session with a document of elsewhere', () => {
  test.each(['as text', 'by its id'])('given %s goes on from there, and gives it back with what was said here', async (way) => {
    await using world = await openWorld({ environment, script: { clerk: ['You are Ada.'] } });
    const given = way === 'as text' ? greeting : await world.client.importAgentState(greeting);
    const session = world.client.session(agent('clerk'), `ada ${way}`, { states: { clerk: given } });

    const { reply } = await session.say('Who am I?');

    expect(reply).toBe('You are Ada.');
    expect(world.model.calls[0]?.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'user']);
    expect(world.model.calls[0]?.heard('user', 'My name is Ada.')).toBe(true);
    expect(world.model.calls[0]?.heard('assistant', 'Hello, Ada.')).toBe(true);
    const document = serializeAgentState(await session.agentState('clerk'));
    const { data } = parseAgentState(document);
    expect(data.conversationHistory.map(({ $type }) => $type)).toEqual(['request', 'response', 'request', 'response']);
    expect(document).toContain('2026-01-29T09:32:10.1234567+00:00');
    expect(document).toContain('9007199254740993');
    expect(document).toContain('"expirationTimeUtc":"2026-02-28T09:32:10.9Z"');
    expect(
      data.conversationHistory
        .filter(isTurn)
        .slice(2)
        .map(({ messages }) => messages),
    ).toMatchObject([
      [{ role: 'user', contents: [{ text: 'Who am I?' }] }],
      [{ role: 'assistant', authorName: 'clerk', contents: [{ text: 'You are Ada.' }] }],
    ]);
  });

  test('knows the turns that were taken there: the same id again is the same turn', async () => {
    await using world = await openWorld({ environment, script: { clerk: [] } });
    const session = world.client.session(agent('clerk'), 'again', { states: { clerk: greeting } });

    expect(await session.say('My name is Ada.', { id: 'first-turn' })).toMatchObject({ status: 'completed', reply: 'Hello, Ada.' });
    expect(world.model.calls).toEqual([]);
  });

  test('brings it along when it is saved and loaded elsewhere', async () => {
    await using here = await openWorld({ environment, script: { clerk: ['You are Ada.'] } });
    const session = here.client.session(agent('clerk'), 'far', { states: { clerk: greeting } });
    await session.say('Who am I?');
    const document = JSON.stringify(await session.export());

    await using there = await openWorld({ environment, script: { clerk: ['Still Ada.'] } });
    const loaded = await there.client.load((await there.client.import(document)).id);
    await loaded.say('And now?');

    expect(there.model.calls[0]?.heard('user', 'My name is Ada.')).toBe(true);
    expect(serializeAgentState(await loaded.agentState('clerk'))).toContain('9007199254740993');
  });
});

test.each(['dotnet', 'python'])('what %s wrote is gone on with', async (writer) => {
  const names = { dotnet: 'dotnet-session', python: 'python-session' };
  const text = await fixture(names[writer as keyof typeof names]);
  await using world = await openWorld({ environment, script: { clerk: ['Well.'] } });

  const run = await world.client.start('sequential', { agents: [agent('clerk')], task: 'Go on.', states: { clerk: text } });

  expect(await run.result()).toMatchObject({ output: 'Well.' });
  const before = parseAgentState(text).data.conversationHistory;
  expect((await run.agentState('clerk')).data.conversationHistory.slice(0, before.length)).toEqual(before);
});

test('in a team only the agent whose document it is hears of it', async () => {
  await using world = await openWorld({ environment, script: { a: ['one'], b: ['two'] } });

  const run = await world.client.start('sequential', { agents: [agent('a'), agent('b')], task: 'go', states: { b: greeting } });
  await run.result();

  expect(world.model.calls.map((call) => call.heard('My name is Ada.'))).toEqual([false, true]);
  expect((await run.agentState('a')).data.conversationHistory).toHaveLength(2);
  expect((await run.agentState('b')).data.conversationHistory).toHaveLength(4);
});

test('one of another run here puts its agent into another team', async () => {
  await using world = await openWorld({ environment, script: { a: ['one', 'three'], b: ['two'] } });
  const session = world.client.session(agent('a'), 'source');
  await session.say('a word in private');
  const id = await world.client.importAgentState(await session.agentState());

  const run = await world.client.start('sequential', { agents: [agent('b'), agent('a')], task: 'go', states: { a: id } });

  expect(await run.result()).toMatchObject({ output: 'three' });
  expect(world.model.calls.map((call) => call.heard('a word in private'))).toEqual([true, false, true]);
});

describe('what cannot be used is refused, and the run fails with what is wrong', () => {
  test.each([
    ['half of a document', greeting.slice(0, 200), 'State.Unreadable', /not JSON|breaks off|line/i],
    ['another version', greeting.replace('1.1.0', '2.0.0'), 'State.Newer', /2\.0\.0/],
    ['something else', '{"hello": "world"}', 'State.Unreadable', /schemaVersion/],
    ['an id that the store does not have', '0'.repeat(32), 'State.NotFound', /Import it first/],
    ['a way out of the store', '../../etc/passwd', 'State.Unreadable', /./],
  ])('%s', async (_, given, type, message) => {
    await using world = await openWorld({ environment, script: [] });

    const run = await world.client.start('sequential', { agents: [agent('a')], task: 'go', states: { a: given } });

    await expect(run.result()).rejects.toMatchObject({ type, message: expect.stringMatching(message) });
    expect(world.model.calls).toEqual([]);
  });

  test('a document for somebody who is not there', async () => {
    await using world = await openWorld({ environment, script: [] });

    const run = await world.client.start('sequential', { agents: [agent('a')], task: 'go', states: { b: greeting } });

    await expect(run.result()).rejects.toMatchObject({ type: 'Input.UnknownAgent', message: expect.stringContaining('states.b') });
  });
});
