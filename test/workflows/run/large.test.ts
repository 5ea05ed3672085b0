import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { callsOf, type Message } from '../../../src/contract/message.js';
import { jsonBytes } from '../../../src/contract/size.js';
import { defineTool, textOf } from '../../../src/index.js';
import { documentOf } from '../../support/agent-state.js';
import { activitiesIn, historyOf } from '../../support/history.js';
import { openStage, type Stage } from '../../support/stage.js';
import { timeSkippingServer } from '../../support/servers.js';

const kilobyte = 1024;
/** A text of a size, different at every place. */
const text = (name: string, bytes: number) => `${name} `.repeat(Math.ceil(bytes / (name.length + 1))).slice(0, bytes);

const received: string[] = [];
const read = defineTool({
  name: 'read',
  description: 'Reads a page.',
  input: z.object({ page: z.string(), bytes: z.number() }),
  run: ({ page, bytes }) => text(page, bytes),
});
const write = defineTool({
  name: 'write',
  description: 'Writes.',
  input: z.object({ text: z.string() }),
  run: (given) => {
    received.push(given.text);
    return 'written';
  },
});

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await timeSkippingServer();
  stage = await openStage({ environment, tools: [read, write] });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const tools = ['read', 'write'];
type Run = Awaited<ReturnType<Stage['world']['client']['start']>>;

async function activitiesOf(run: Run) {
  return activitiesIn(await historyOf(environment, run.id, (await run.status()).firstRunId));
}

/** No step may carry the conversation. */
async function largestModelInput(run: Run): Promise<number> {
  const calls = (await activitiesOf(run)).filter(({ type }) => type === 'callModel');
  return Math.max(...calls.map(({ inputBytes }) => inputBytes));
}

describe('a tool result of 200 KB', () => {
  test('is cut for the model, with a note, and stored whole', async () => {
    const { agent, calls } = stage.actor([{ calls: [{ name: 'read', arguments: { page: 'one', bytes: 200_000 } }] }, 'long'], { tools });
    const run = await stage.world.client.start('sequential', { agents: [agent], task: 'go' });
    await run.result();

    const seen = calls[1]?.messages.at(-1)?.content ?? '';
    expect(seen.length).toBeGreaterThan(60 * kilobyte);
    expect(seen.length).toBeLessThan(66 * kilobyte);
    const [, id] = /… cut: \d+ of 200000 characters; the whole is stored as (\w+)$/.exec(seen) ?? [];
    expect(await stage.world.store.blobs.get(id!)).toBe(text('one', 200_000));

    // The state document holds what the model was shown; the transcript its beginning, and where the rest is.
    const document = await documentOf(run);
    expect(resultsIn(document.data.conversationHistory.flatMap(({ messages }) => messages))).toEqual([seen]);
    const entry = (await run.transcript())[2]!;
    expect(entry).toMatchObject({ cut: true });
    expect(seen.startsWith(String(resultsIn([entry.message])[0]).slice(0, 1000))).toBe(true);
    expect(resultsIn([JSON.parse((await stage.world.store.blobs.get(entry.blob!))!) as Message])).toEqual([seen]);
    expect(await largestModelInput(run)).toBeLessThan(4 * kilobyte);
  });
});

describe('a reply of 300 KB', () => {
  const long = text('word', 300_000);

  test('is the output of its run, and heard whole by the next agent', async () => {
    const first = stage.actor([{ chunks: [long] }], { name: 'first' });
    const second = stage.actor([{ chunks: [long] }], { name: 'second' });
    const run = await stage.world.client.start('sequential', { agents: [first.agent, second.agent], task: 'go' });

    const result = await run.result();

    expect(result.output).toBe(long);
    expect(second.calls[0]?.heard('first', long)).toBe(true);
    const [, response] = (await documentOf(run, 'second')).data.conversationHistory;
    expect(textOf(response!.messages[0]!)).toBe(long);
    expect(jsonBytes(await run.status())).toBeLessThan(20 * kilobyte);
    expect(await largestModelInput(run)).toBeLessThan(4 * kilobyte);
  });
});

describe('tool arguments of 100 KB', () => {
  test('reach the tool whole, and the model is shown them again', async () => {
    const given = JSON.stringify({ text: text('ä"\\', 100_000) });
    const { agent, calls } = stage.actor([{ calls: [{ name: 'write', arguments: given }] }, 'done'], { tools });
    const run = await stage.world.client.start('sequential', { agents: [agent], task: 'go' });
    await run.result();

    expect(received.at(-1)).toBe(text('ä"\\', 100_000));
    expect(JSON.parse(calls[1]?.messages[2]?.calls?.[0]?.arguments ?? '')).toEqual(JSON.parse(given));
    const [, response] = (await documentOf(run)).data.conversationHistory;
    expect(response!.messages.flatMap(callsOf)[0]?.arguments).toEqual(JSON.parse(given));
    for (const { type, inputBytes } of await activitiesOf(run)) expect([type, inputBytes < 4 * kilobyte]).toEqual([type, true]);
  });

  test('that are not JSON do not travel with every step either', async () => {
    const broken = `{"text": "${text('word', 100_000)}`;
    const { agent, calls } = stage.actor([{ calls: [{ name: 'write', arguments: broken }] }, 'sorry'], { tools });
    const run = await stage.world.client.start('sequential', { agents: [agent], task: 'go' });

    expect((await run.result()).output).toBe('sorry');
    expect(calls[1]?.messages.at(-1)?.content).toContain('are not a JSON object');
    for (const { type, inputBytes } of await activitiesOf(run)) expect([type, inputBytes < 40 * kilobyte]).toEqual([type, true]);
  });
});

describe('a large task', () => {
  test.each([
    ['ninety messages', 90, 10_000],
    ['a thousand messages', 1000, 900],
    ['a thousand messages, too few to be sealed', 1000, 150],
    ['one message', 1, 900_000],
  ])('in %s is heard whole, and no step carries it', async (_, count, bytes) => {
    const task = Array.from({ length: count }, (__, i) => text(`part-${i}`, bytes));
    const { agent, calls } = stage.actor([{ calls: [{ name: 'write', arguments: { text: 'x' } }] }, 'read'], { tools });
    const run = await stage.world.client.start('sequential', { agents: [agent], task });

    expect((await run.result()).output).toBe('read');
    for (const call of calls) {
      expect(call.messages.filter(({ role }) => role === 'user').map(({ content }) => content)).toEqual(task);
    }
    const [request] = (await documentOf(run)).data.conversationHistory;
    expect(request!.messages.map(textOf)).toEqual(task);
    for (const { type, inputBytes } of await activitiesOf(run)) expect([type, inputBytes < 40 * kilobyte]).toEqual([type, true]);
    const types = [];
    for await (const { type } of run.watch()) types.push(type);
    expect(types[0]).toBe('run.started');
    expect(types.filter((type) => type === 'message.received')).toHaveLength(count);
  });
});

function resultsIn(messages: Message[]): unknown[] {
  return messages.flatMap(({ contents }) => contents.flatMap((content) => (content.$type === 'functionResult' ? [content.result] : [])));
}

describe('a message of 20 MB', () => {
  test('is heard whole, travels nowhere, and comes back as it was', async () => {
    const book = text('chapter', 20 * kilobyte * kilobyte);
    const { agent, calls } = stage.actor(['A very long book.', 'Still long.']);
    const session = stage.world.client.session(agent, 'a very long book');
    const message = {
      role: 'user',
      contents: [
        { $type: 'text' as const, text: 'What is this?' },
        { $type: 'text' as const, text: book },
      ],
    };

    const { reply } = await session.say(message, { timeout: '4 minutes' });
    await session.say('Really?');

    expect(reply).toBe('A very long book.');
    expect(calls.map((call) => call.messages.some(({ content }) => content.includes(book)))).toEqual([true, true]);
    const { firstRunId } = await session.status();
    expect(jsonBytes(await historyOf(environment, session.id, firstRunId))).toBeLessThan(100 * kilobyte);
    const { conversationHistory } = (await documentOf(session)).data;
    expect(conversationHistory[0]?.messages[0]?.contents).toEqual(message.contents);
    expect(conversationHistory[0]?.messages[0]).not.toHaveProperty('artifact');
  });

  test('that is not there, or is none, fails the turn and not the session', async () => {
    const { agent } = stage.actor(['Better.']);
    const session = stage.world.client.session(agent, 'a false picture');
    const id = await stage.world.store.blobs.put('{"no": "message"}');
    const said = (artifact: string) => ({ role: 'user', contents: [{ $type: 'text' as const, text: 'Look.' }], artifact });

    await expect(session.say(said('../../x'))).rejects.toMatchObject({ type: 'Input.Invalid' });
    await expect(session.say(said(id))).rejects.toMatchObject({ type: 'State.Unreadable' });
  });
});
