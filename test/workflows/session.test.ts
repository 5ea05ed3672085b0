import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent } from '../../src/index.js';
import { openWorld } from '../support/world.js';
import { timeSkippingServer } from '../support/servers.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const guide = defineAgent({ name: 'guide', instructions: 'Help.', model: 'guide' });
const echo = (request: { messages: { role: string; content?: unknown }[] }) => `heard: ${String(request.messages.at(-1)?.content)}`;

describe('session', () => {
  test('remembers what was said before', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['hello', 'as I said: hello'] });
    const session = world.client.session('guide', 'anna');

    expect((await session.say('hi')).reply).toBe('hello');
    expect((await session.say('what did you say?')).reply).toBe('as I said: hello');

    const heard = JSON.stringify(world.model.calls[1]?.messages);
    for (const words of ['hi', 'hello', 'what did you say?']) expect(heard).toContain(words);
  });

  test('opened again by the same key is the same session, from any client', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['one', 'two'] });
    await world.client.session('guide', 'ben').say('first');

    const again = world.client.session('guide', 'ben');
    await again.say('second');

    expect(again.id).toBe('session/guide/ben');
    expect(await again.transcript()).toHaveLength(4);
    expect(await world.client.attach('session/guide/ben').transcript()).toHaveLength(4);
  });

  test('the same message id is the same turn', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['one', 'two'] });
    const session = world.client.session('guide', 'cleo');

    const first = await session.say('hello', { id: 'm1' });
    const second = await session.say('hello', { id: 'm1' });

    expect(second).toEqual(first);
    expect(world.model.calls).toHaveLength(1);
  });

  test('turns are taken one after another, in the order of the messages', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', 'dora');
    await session.say('0');

    const sent = [];
    for (let i = 1; i <= 5; i++) sent.push(await session.send(String(i)));
    const turns = await Promise.all(sent.map(({ turnId }) => session.turn(turnId)));
    expect(turns.every(({ status }) => status !== 'unknown')).toBe(true);
    await session.say('6');

    const asked = world.model.calls.map((call) => call.messages.at(-1)?.content);
    expect(asked).toEqual(['0', '1', '2', '3', '4', '5', '6']);
    for (const call of world.model.calls) expect(call.messages.filter(({ role }) => role === 'user').length * 2).toBe(call.messages.length);
  });

  test('a plain signal says something too', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', 'emil');
    await session.say('by update');

    await environment.client.workflow.getHandle(session.id).signal('say', { message: 'by signal', id: 's1' });
    await session.say('after');

    expect(await session.turn('s1')).toMatchObject({ status: 'completed', reply: 'heard: by signal' });
  });

  test('a failed turn is told to its caller, and the conversation goes on', async () => {
    await using world = await openWorld({
      environment,
      agents: [guide],
      script: [{ status: 400, body: { error: { message: 'no' } } }, 'better'],
    });
    const session = world.client.session('guide', 'fred');

    await expect(session.say('one', { id: 'bad' })).rejects.toMatchObject({ type: 'Model.Refused' });

    expect((await session.say('two')).reply).toBe('better');
    expect(await session.turn('bad')).toMatchObject({ status: 'failed', failure: { type: 'Model.Refused' } });
    expect(JSON.stringify(world.model.calls[1]?.messages)).toContain('one');
  });

  test('messages that arrive while it continues as new are neither lost nor doubled', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: echo, historyEvents: 30 });
    const session = world.client.session('guide', 'gina');
    await session.say('start');

    const numbers = Array.from({ length: 60 }, (_, i) => `n${i}`);
    const talkers = [0, 1, 2].map(async (talker) => {
      for (const number of numbers.filter((_, i) => i % 3 === talker)) await session.send(number, number);
    });
    await Promise.all(talkers);
    await session.say('end');

    const asked = world.model.calls.map((call) => String(call.messages.at(-1)?.content));
    expect([...asked].sort()).toEqual(['end', 'start', ...numbers].sort());
    expect((await session.checkpoint()).continuations).toBeGreaterThan(1);
    expect(await session.transcript()).toHaveLength(asked.length * 2);
  });

  test('ends when it is cancelled, and says so to those who still wait', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['one'] });
    const session = world.client.session('guide', 'hugo');
    await session.say('hi');

    await session.cancel();

    expect(await world.client.attach(session.id).result()).toMatchObject({ status: 'cancelled', output: 'one' });
  });

  test('after its end a new one opens under the same key', async () => {
    await using world = await openWorld({ environment, agents: [guide], script: ['one', 'two'] });
    const session = world.client.session('guide', 'ida');
    await session.say('hi');
    await session.cancel();
    await session.result();

    const again = world.client.session('guide', 'ida');
    expect((await again.say('hi again')).reply).toBe('two');
    expect(await again.transcript()).toHaveLength(2);
  });

  test.each([
    ['an empty message', { message: '' }],
    ['no message', {}],
    ['a number', 7],
    ['a message without contents', { message: { role: 'user' } }],
    ['an unknown content', { message: { role: 'user', contents: [{ $type: 'smell' }] } }],
    ['an id that is no string', { message: 'x', id: 5 }],
    ['300 KB', { message: 'x'.repeat(300_000) }],
  ])('%s is refused, and nothing said so far is lost', async (_, payload) => {
    await using world = await openWorld({ environment, agents: [guide], script: echo });
    const session = world.client.session('guide', `jana-${world.taskQueue}`);
    await session.say('before');
    const handle = environment.client.workflow.getHandle(session.id);

    await expect(handle.executeUpdate('say', { args: [payload] })).rejects.toMatchObject({ cause: { type: 'Input.Invalid' } });
    await handle.signal('say', payload);
    await session.say('after');

    expect(await session.transcript()).toHaveLength(4);
    const events = [];
    for await (const event of session.watch({ onIdle: async () => true })) events.push(event);
    expect(events.filter(({ type }) => type === 'input.refused')).toHaveLength(1);
  });
});

describe('a run that is not a conversation', () => {
  test('refuses messages, by update and by signal', async () => {
    let release: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    await using world = await openWorld({ environment, agents: [guide], script: [async () => (await released, 'done')] });
    const run = await world.client.start('sequential', { agents: ['guide'], task: 'tea' });
    await world.model.called(1);

    await expect(run.send('hello')).rejects.toMatchObject({ cause: { type: 'Run.NotConversational' } });
    await environment.client.workflow.getHandle(run.id).signal('say', { message: 'hello' });
    release();

    expect((await run.result()).output).toBe('done');
    const types = [];
    for await (const { type } of run.watch()) types.push(type);
    expect(types).toContain('input.refused');
  });
});
