/** What is sent to a model of a long conversation, over both APIs and the real client. */
import { describe, expect, test } from 'vitest';
import { createCallModel } from '../../src/activities/call-model.js';
import { createTeamCache } from '../../src/activities/team-cache.js';
import { Transcripts } from '../../src/activities/transcripts.js';
import type { AgentDefinition } from '../../src/contract/agent.js';
import type { CompactionRef } from '../../src/contract/compaction.js';
import { textOf, type Content } from '../../src/contract/message.js';
import type { CallModelInput } from '../../src/contract/step.js';
import type { Entry } from '../../src/contract/transcript.js';
import type { HttpModelRequest } from '../../src/llm/http-model.js';
import { createProviders } from '../../src/llm/providers.js';
import { createFunctionRegistry } from '../../src/functions/registry.js';
import { createToolRegistry } from '../../src/tools/registry.js';
import { apis, endpointOf, message, providerOf, type Api } from '../llm/support.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';

const long = (text: string) => `${text} ${'x'.repeat(100)}`;
const say = (text: string): Entry => ({ message: message('user', long(text)) });
const reply = (turn: number, contents: Content[] | string): Entry => ({
  message: message('assistant', typeof contents === 'string' ? long(contents) : contents, 'writer'),
  turn,
});
/** A turn with a tool, whose call ids repeat. */
const tooled = (turn: number): Entry[] => [
  say(`task ${turn}`),
  { ...reply(turn, [{ $type: 'functionCall', callId: 'call_1', name: 'look', arguments: { turn } }]), audience: ['writer'] },
  {
    message: message('tool', [{ $type: 'functionResult', callId: 'call_1', result: long(`found ${turn}`) }], 'writer'),
    turn,
    audience: ['writer'],
  },
  reply(turn, `answer ${turn}`),
];
const talk: Entry[] = [...tooled(1), ...tooled(2), ...tooled(3), say('now')];

async function world(api: Api, compaction: AgentDefinition['compaction'], most: number) {
  const requests: HttpModelRequest[] = [];
  const endpoint = await endpointOf((request) => {
    requests.push(request);
    const chars = request.messages.reduce((sum, { content }) => sum + content.length, 0);
    const error = { message: 'too long', type: 'invalid_request_error', code: 'context_length_exceeded' };
    return chars > most ? { status: 400, body: { error } } : { text: 'done' };
  });
  const store = memoryStore();
  const agent = { name: 'writer', instructions: 'Write.', model: 'm', tools: [], maxToolRounds: 16, compaction };
  const team = await store.blobs.put(JSON.stringify({ agents: [agent] }));
  const providers = createProviders({ default: { provider: providerOf(api, { baseURL: endpoint.baseURL }) }, defaultModel: 'm' });
  const transcripts = new Transcripts(store.blobs);
  const registries = { tools: createToolRegistry([]), functions: createFunctionRegistry([]) };
  const callModel = createCallModel({ store, transcripts, teams: createTeamCache(store.blobs), providers, ...registries });
  const { run } = activityEnvironment({ attempt: 1, workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  const ask = (more: Partial<CallModelInput> = {}, entries = talk) =>
    run(callModel, {
      firstRunId: 'first',
      step: '4/1',
      turn: 4,
      agent: 'writer',
      team,
      transcript: { head: null, since: entries.map((entry) => ({ entry })) },
      start: entries.length,
      ...more,
    });
  return { ask, requests, store, [Symbol.asyncDispose]: endpoint[Symbol.asyncDispose] };
}

/** Providers refuse a call without its result, and a result without its call. */
function expectPairs({ messages }: HttpModelRequest): void {
  const open: string[] = [];
  for (const { role, calls = [], callId } of messages) {
    if (role === 'tool') expect(open.splice(open.indexOf(callId!), 1)).toEqual([callId]);
    else expect(open).toEqual([]);
    open.push(...calls.map(({ id }) => id));
  }
  expect(open).toEqual([]);
}

describe.each(apis)('over %s', (api) => {
  test.each([undefined, { keepLast: 50 }, { tokens: 10_000 }])('too long for the model: half of it, once, with %o', async (compaction) => {
    await using model = await world(api, compaction, 900);

    const output = await model.ask();

    expect(output).toMatchObject({ reply: { finishReason: 'stop' } });
    expect(model.requests).toHaveLength(2);
    expectPairs(model.requests[1]!);
    expect(model.requests[1]!.messages[0]).toMatchObject({ role: 'system', content: 'Write.' });
    expect(model.requests[1]!.messages.at(-1)!.content).toMatch(/^now/);
    expect(model.store.appended.map(({ type }) => type)).toContain('conversation.compacted');
  });

  test('still too long: the failure of the model, after two requests', async () => {
    await using model = await world(api, { keepLast: 12 }, 10);

    expect(await failureFrom(model.ask())).toMatchObject({ type: 'Model.ContextLength', nonRetryable: true });

    expect(model.requests).toHaveLength(2);
  });

  test('a summary is due instead, up to before what stays, at a place where no pair is split', async () => {
    await using model = await world(api, { summary: { over: 200, keepLast: 3 } }, 10_000);

    expect(await model.ask()).toMatchObject({ due: { by: 'summary', reason: 'over', tokens: 200, upTo: expect.any(Number) } });

    expect(model.requests).toEqual([]);
    const output = await model.ask();
    const upTo = 'due' in output ? output.due.upTo : 0;
    expect(talk[upTo]?.message.role).not.toBe('tool');
  });

  test('what stands for the older part is heard instead of it, but for what that turn did not hear', async () => {
    await using model = await world(api, { summary: { over: 10_000 } }, 10_000);
    const entries: Entry[] = [
      say('one'),
      { message: message('assistant', 'aside', 'editor'), turn: 2 },
      reply(1, 'two'),
      { message: message('system', 'Be brief.') },
      say('three'),
    ];
    const blob = await model.store.blobs.put(JSON.stringify({ messages: [message('user', 'sum')] }));
    const compaction: CompactionRef = { upTo: 4, blob, turn: 1, start: 1 };

    await model.ask({ compaction }, entries);

    expect(model.requests[0]!.messages.map(({ content }) => content.split(' x')[0])).toEqual([
      'Write.',
      'sum',
      '[editor]\naside',
      'Be brief.',
      'three',
    ]);
  });

  test('a limit is kept by leaving out the oldest, and nothing is due', async () => {
    await using model = await world(api, { summary: { over: 100 } }, 10_000);

    const output = await model.ask({ limit: { tokens: 200 } });

    expect('due' in output).toBe(false);
    expectPairs(model.requests[0]!);
    expect(model.requests[0]!.messages.length).toBeLessThan(10);
  });

  test.each(['no JSON', '{"messages":[]}', '{"messages":[7]}', '{"agents":[]}', 'null'])(
    'what is no compaction, %s: refused for good',
    async (text) => {
      await using model = await world(api, { summary: { over: 100 } }, 10_000);
      const blob = await model.store.blobs.put(text);

      const ask = model.ask({ compaction: { upTo: 4, blob, turn: 1, start: 4 } });

      expect(await failureFrom(ask)).toMatchObject({ type: 'State.Unreadable', nonRetryable: true });
    },
  );

  test('a compaction that the store has lost: said, and tried again', async () => {
    await using model = await world(api, { summary: { over: 100 } }, 10_000);

    const ask = model.ask({ compaction: { upTo: 4, blob: '0'.repeat(32), turn: 1, start: 4 } });

    expect(await failureFrom(ask)).toMatchObject({ type: 'Store.Unavailable', nonRetryable: false });
  });
});

test('the reply says what was estimated, where there is a policy', async () => {
  await using model = await world('chat', { keepLast: 2 }, 10_000);

  const output = await model.ask();

  expect('reply' in output && output.reply.estimate).toBeGreaterThan(20);
  expect('message' in output && textOf(output.message)).toBe('done');
});
