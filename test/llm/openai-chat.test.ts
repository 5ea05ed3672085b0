import { describe, expect, test } from 'vitest';
import type { Content } from '../../src/contract/message.js';
import type { HttpModelRequest } from '../../src/llm/http-model.js';
import { openaiChat } from '../../src/llm/openai-chat.js';
import { chatStream, endpointOf, hello, message, requestOf, sse } from './support.js';

async function read(stream: string[]) {
  await using endpoint = await endpointOf(() => ({ raw: stream }));
  return await openaiChat({ ...endpoint, apiKey: 'k' }).complete(hello);
}

async function bodyOf(...[request, options]: [Parameters<typeof requestOf>[1]?, Partial<Parameters<typeof openaiChat>[0]>?]) {
  let asked: HttpModelRequest | undefined;
  await using endpoint = await endpointOf((received) => ((asked = received), { text: 'Yes.' }));
  await openaiChat({ ...endpoint, apiKey: 'k', ...options }).complete({ ...hello, ...request });
  return asked!.body;
}

const call = (callId: string, name: string, args: object = {}): Content => ({
  $type: 'functionCall',
  callId,
  name,
  arguments: args as { [key: string]: string },
});
const part = (index: number | undefined, id: string | undefined, name: string | undefined, text?: string | object) => ({
  tool_calls: [
    {
      ...(index !== undefined && { index }),
      ...(id !== undefined && { id }),
      function: { ...(name !== undefined && { name }), ...(text !== undefined && { arguments: text }) },
    },
  ],
});

describe('calls are put together however an endpoint sends them', () => {
  test.each([
    [
      'in fragments, the id on the first',
      [part(0, 'a', 'f', ''), part(0, undefined, undefined, '{"x":'), part(0, undefined, undefined, '"1"}')],
      [call('a', 'f', { x: '1' })],
    ],
    ['in fragments, id and name on each', [part(0, 'a', 'f', '{"x":'), part(0, 'a', 'f', '"1"}')], [call('a', 'f', { x: '1' })]],
    [
      'in fragments of several, mixed',
      [
        part(0, 'a', 'f', ''),
        part(1, 'b', 'g', ''),
        part(1, undefined, undefined, '{"y":"2"}'),
        part(0, undefined, undefined, '{"x":"1"}'),
      ],
      [call('a', 'f', { x: '1' }), call('b', 'g', { y: '2' })],
    ],
    ['whole', [part(0, 'a', 'f', '{"x":"1"}'), part(1, 'b', 'f', '{}')], [call('a', 'f', { x: '1' }), call('b', 'f')]],
    ['whole, all with index 0', [part(0, 'a', 'f', '{"x":"1"}'), part(0, 'b', 'f', '{}')], [call('a', 'f', { x: '1' }), call('b', 'f')]],
    [
      'whole, all with index 0 and without ids',
      [part(0, '', 'f', '{"x":"1"}'), part(0, '', 'g', '{}')],
      [call('call_1', 'f', { x: '1' }), call('call_2', 'g')],
    ],
    [
      'whole, without index',
      [part(undefined, 'a', 'f', '{"x":"1"}'), part(undefined, 'b', 'g', '{}')],
      [call('a', 'f', { x: '1' }), call('b', 'g')],
    ],
    [
      'whole, without index and id',
      [part(undefined, undefined, 'f', '{"x":"1"}'), part(undefined, undefined, 'g', '{}')],
      [call('call_1', 'f', { x: '1' }), call('call_2', 'g')],
    ],
    [
      'in fragments, without index',
      [part(undefined, 'a', 'f', '{"x":'), part(undefined, undefined, undefined, '"1"}')],
      [call('a', 'f', { x: '1' })],
    ],
    ['with arguments as an object', [part(0, 'a', 'f', { x: '1' })], [call('a', 'f', { x: '1' })]],
    ['without arguments', [part(0, 'a', 'f')], [call('a', 'f')]],
    ['with the same id twice', [part(0, 'a', 'f', '{}'), part(1, 'a', 'g', '{}')], [call('a', 'f'), call('a_2', 'g')]],
  ])('%s', async (_, deltas, expected) => {
    const reply = await read(chatStream(deltas, 'tool_calls'));

    expect(reply.message.contents).toEqual(expected);
    expect(reply.facts.finishReason).toBe('tool_calls');
    expect(reply.rawArguments).toBeUndefined();
  });

  test('an endpoint that calls a reply with calls finished is understood', async () => {
    for (const reason of ['stop', 'function_call']) {
      expect((await read(chatStream([part(0, 'a', 'f', '{}')], reason))).facts.finishReason).toBe('tool_calls');
    }
    expect((await read(chatStream([{ content: 'Hi.' }], 'tool_calls'))).facts.finishReason).toBe('stop');
    expect((await read(chatStream([{ content: 'Hi.' }], 'end_turn'))).facts.finishReason).toBe('end_turn');
  });
});

describe('usage is taken where it comes', () => {
  const chunk = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, finish_reason: null }], ...more });
  const end = { choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] };
  const usage = { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 };

  test.each([
    ['after the end', [chunk({ content: 'Hi.' }), end, { choices: [], usage }], [5, 3, 8]],
    ['with the end', [chunk({ content: 'Hi.' }), { ...end, usage }], [5, 3, 8]],
    [
      'on every chunk, counted up',
      [chunk({ content: 'H' }, { usage: { prompt_tokens: 5, completion_tokens: 1 } }), chunk({ content: 'i.' }, { usage }), end],
      [5, 3, 8],
    ],
    ['without a total', [chunk({ content: 'Hi.' }), end, { choices: [], usage: { prompt_tokens: 5, completion_tokens: 3 } }], [5, 3, 8]],
    ['null', [chunk({ content: 'Hi.' }, { usage: null }), end], [0, 0, 0]],
    ['in part', [chunk({ content: 'Hi.' }), { ...end, usage: { prompt_tokens: 5 } }], [5, 0, 5]],
  ])('%s', async (_, chunks, [inputTokens, outputTokens, totalTokens]) => {
    const { facts } = await read(sse(...chunks, '[DONE]'));

    expect(facts).toEqual({ model: 'test-model', finishReason: 'stop', usage: { inputTokens, outputTokens, totalTokens, modelCalls: 1 } });
  });
});

test.each([
  ['reasoning_content', [{ reasoning_content: 'Hm.' }, { content: 'Hi.' }]],
  ['reasoning', [{ reasoning: 'Hm.' }, { content: 'Hi.' }]],
  ['both', [{ reasoning: 'Hm.', reasoning_content: 'Hm.' }, { content: 'Hi.' }]],
  ['an empty one beside the words', [{ reasoning_content: 'Hm.' }, { reasoning_content: '', content: 'Hi.' }]],
])('reasoning is heard as %s', async (_, deltas) => {
  expect((await read(chatStream(deltas))).message.contents).toEqual([
    { $type: 'reasoning', text: 'Hm.' },
    { $type: 'text', text: 'Hi.' },
  ]);
});

test('comments, empty chunks, other choices and Windows line ends do no harm', async () => {
  const stream = [
    ': keep-alive\n\n',
    ...sse({ choices: [] }, { choices: [{ index: 0, delta: null, finish_reason: null }] }),
    ...chatStream([{ role: 'assistant', content: null }, { content: 'Hi.' }]),
  ];

  const reply = await read(stream.map((line) => line.replaceAll('\n', '\r\n')));

  expect(reply.message).toEqual(message('assistant', 'Hi.'));
});

describe('the request', () => {
  test('is plain: what was not asked for is not in it', async () => {
    expect(await bodyOf()).toEqual({
      model: 'test-model',
      messages: [
        { role: 'system', content: 'Write.' },
        { role: 'user', content: 'Hello.' },
      ],
      stream: true,
      stream_options: { include_usage: true },
    });
  });

  test('can do without what older endpoints refuse', async () => {
    const body = await bodyOf({ maxOutputTokens: 50 }, { streamUsage: false, maxTokensField: 'max_tokens' });

    expect(body).toMatchObject({ max_tokens: 50 });
    expect(Object.keys(body)).not.toEqual(expect.arrayContaining(['stream_options']));
    expect(await bodyOf({ maxOutputTokens: 50 })).toMatchObject({ max_completion_tokens: 50 });
  });

  test('asks for a schema, for tools, and for an answer without tools', async () => {
    const schema = { type: 'object' };
    const tools = [{ name: 'f', description: 'Does.', parameters: schema }];

    expect(await bodyOf({ outputSchema: schema, tools, mustAnswer: true })).toMatchObject({
      response_format: { type: 'json_schema', json_schema: { name: 'reply', schema, strict: false } },
      tools: [{ type: 'function', function: { name: 'f', description: 'Does.', parameters: schema } }],
      tool_choice: 'none',
    });
    expect(await bodyOf({ mustAnswer: true })).not.toHaveProperty('tool_choice');
  });

  test('shows pictures and files as parts', async () => {
    const { messages } = requestOf([
      message(
        'user',
        [
          { $type: 'text', text: 'Look.' },
          { $type: 'uri', uri: 'https://a.test/x', mediaType: 'image/png' },
          { $type: 'data', uri: 'data:application/pdf;base64,AA==' },
        ],
        'Ada',
      ),
    ]);

    expect((await bodyOf({ messages }))['messages']).toContainEqual({
      role: 'user',
      content: [
        { type: 'text', text: '[Ada]\nLook.' },
        { type: 'image_url', image_url: { url: 'https://a.test/x' } },
        { type: 'file', file: { file_data: 'data:application/pdf;base64,AA==', filename: 'file.pdf' } },
      ],
    });
  });

  test('shows calls without words as null content, and arguments as they were written', async () => {
    const said = message('assistant', [call('c1', 'f')], 'writer');

    const body = await bodyOf({ messages: [{ message: said, rawArguments: { c1: '{"a": ' } }] });

    expect((body['messages'] as object[]).slice(1)).toEqual([
      { role: 'assistant', content: null, tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"a": ' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'There is no result of this call.' },
    ]);
  });
});
