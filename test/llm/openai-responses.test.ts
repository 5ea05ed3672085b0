import { describe, expect, test } from 'vitest';
import type { HttpModelRequest } from '../../src/llm/http-model.js';
import { openaiResponses } from '../../src/llm/openai-responses.js';
import { endpointOf, failureFrom, hello, message, requestOf, sse } from './support.js';

async function read(...events: object[]) {
  await using endpoint = await endpointOf(() => ({ raw: sse(...events) }));
  return await openaiResponses({ ...endpoint, apiKey: 'k' }).complete(hello);
}

async function bodyOf(request: Parameters<typeof requestOf>[1] = {}, options: Partial<Parameters<typeof openaiResponses>[0]> = {}) {
  let asked: HttpModelRequest | undefined;
  await using endpoint = await endpointOf((received) => ((asked = received), { text: 'Yes.' }));
  await openaiResponses({ ...endpoint, apiKey: 'k', ...options }).complete({ ...hello, ...request });
  return asked!.body;
}

const usage = { input_tokens: 5, output_tokens: 3, total_tokens: 8 };
const text = { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: 'Hi.', annotations: [] }] };
const reasoning = {
  type: 'reasoning',
  summary: [
    { type: 'summary_text', text: 'First.' },
    { type: 'summary_text', text: 'Then.' },
  ],
};
const call = { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{"a":1}' };
const done = (output: object[], more: object = {}) => ({
  type: 'response.completed',
  response: { model: 'm', status: 'completed', output, usage, ...more },
});
const whole = [
  { $type: 'reasoning', text: 'First.\n\nThen.' },
  { $type: 'text', text: 'Hi.' },
  { $type: 'functionCall', callId: 'c1', name: 'f', arguments: { a: 1 } },
];

describe('items are put together however an endpoint sends them', () => {
  const summary = (delta: string, part: number) => ({
    type: 'response.reasoning_summary_text.delta',
    output_index: 0,
    summary_index: part,
    delta,
  });
  const items = [reasoning, text, call];

  test.each([
    ['only in the final response', [done(items)]],
    [
      'whole, one after another',
      [...items.map((item, output_index) => ({ type: 'response.output_item.done', output_index, item })), done(items)],
    ],
    [
      'in pieces',
      [
        summary('Fir', 0),
        summary('st.', 0),
        summary('Then.', 1),
        { type: 'response.output_text.delta', output_index: 1, delta: 'Hi.' },
        { type: 'response.output_item.added', output_index: 2, item: { ...call, arguments: '' } },
        { type: 'response.function_call_arguments.delta', output_index: 2, delta: '{"a"' },
        { type: 'response.function_call_arguments.delta', output_index: 2, delta: ':1}' },
        { type: 'response.output_item.done', output_index: 2, item: call },
        done(items),
      ],
    ],
    [
      'in pieces, with a final response that is empty',
      [
        summary('First.', 0),
        summary('Then.', 1),
        { type: 'response.output_text.delta', output_index: 1, delta: 'Hi.' },
        { type: 'response.output_item.done', output_index: 2, item: call },
        done([]),
      ],
    ],
  ])('%s', async (_, events) => {
    const reply = await read(...events);

    expect(reply.message.contents).toEqual(whole);
    expect(reply.facts).toEqual({
      model: 'm',
      finishReason: 'tool_calls',
      usage: { inputTokens: 5, outputTokens: 3, totalTokens: 8, modelCalls: 1 },
    });
  });

  test('open reasoning is heard like a summary', async () => {
    const reply = await read(
      { type: 'response.reasoning_text.delta', output_index: 0, content_index: 0, delta: 'Hm.' },
      { type: 'response.output_text.delta', output_index: 1, delta: 'Hi.' },
      done([]),
    );

    expect(reply.message.contents).toEqual([
      { $type: 'reasoning', text: 'Hm.' },
      { $type: 'text', text: 'Hi.' },
    ]);
  });

  test('items and events that we do not know do no harm', async () => {
    const search = { type: 'web_search_call', id: 'ws', status: 'completed' };

    const reply = await read(
      { type: 'response.something.new' },
      { type: 'response.output_item.done', output_index: 0, item: search },
      { type: 'response.output_item.done', output_index: 1, item: text },
      done([search, text]),
    );

    expect(reply.message).toEqual(message('assistant', 'Hi.'));
  });

  test('a refusal is words', async () => {
    const refused = { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] };

    expect(await read(done([refused]))).toMatchObject({ message: message('assistant', 'No.'), facts: { finishReason: 'refusal' } });
  });
});

describe('the status of a response', () => {
  const incomplete = (reason: string) => ({
    type: 'response.incomplete',
    response: { status: 'incomplete', incomplete_details: { reason }, output: [text] },
  });

  test('incomplete for its length keeps the words', async () => {
    expect(await read(incomplete('max_output_tokens'))).toMatchObject({
      message: message('assistant', 'Hi.'),
      facts: { finishReason: 'length' },
    });
    expect(await read(incomplete('something_new'))).toMatchObject({ facts: { finishReason: 'something_new' } });
  });

  test.each([
    ['incomplete by the content filter', incomplete('content_filter'), 'Model.Refused', true],
    [
      'failed by a rate limit',
      { type: 'response.failed', response: { status: 'failed', output: [], error: { code: 'rate_limit_exceeded', message: 'slow down' } } },
      'Model.RateLimited',
      false,
    ],
    [
      'failed by the server',
      { type: 'response.failed', response: { status: 'failed', output: [], error: { code: 'server_error', message: 'oops' } } },
      'Model.Unavailable',
      false,
    ],
    [
      'failed for what was asked',
      { type: 'response.failed', response: { status: 'failed', output: [], error: { code: 'invalid_image_url', message: 'no' } } },
      'Model.Refused',
      true,
    ],
    ['failed without a word', { type: 'response.failed', response: { status: 'failed', error: null } }, 'Model.Unavailable', false],
    ['cancelled', { type: 'response.completed', response: { status: 'cancelled', output: [] } }, 'Model.Unavailable', false],
    ['an error event', { type: 'error', code: 'context_length_exceeded', message: 'too long', param: null }, 'Model.ContextLength', true],
    ['an error event without a code', { type: 'error', code: null, message: 'oops' }, 'Model.Unavailable', false],
    ['arguments without a call', { type: 'response.function_call_arguments.delta', output_index: 3, delta: '{' }, 'Model.Malformed', false],
    ['nothing more', { type: 'response.created', response: { model: 'm' } }, 'Model.Malformed', false],
  ])('%s is a typed failure', async (_, event, type, nonRetryable) => {
    expect(await failureFrom(read(event))).toMatchObject({ type, nonRetryable });
  });
});

describe('the request', () => {
  test('leaves nothing at the endpoint', async () => {
    expect(await bodyOf()).toEqual({
      model: 'test-model',
      input: [
        { role: 'system', content: 'Write.' },
        { role: 'user', content: 'Hello.' },
      ],
      stream: true,
      store: false,
    });
  });

  test('asks for a schema, for tools, for an answer without them, and for a summary where wanted', async () => {
    const schema = { type: 'object' };
    const tools = [{ name: 'f', description: 'Does.', parameters: schema }];

    expect(await bodyOf({ outputSchema: schema, tools, mustAnswer: true, maxOutputTokens: 9 }, { reasoningSummary: 'auto' })).toMatchObject(
      {
        text: { format: { type: 'json_schema', name: 'reply', schema, strict: false } },
        tools: [{ type: 'function', name: 'f', description: 'Does.', parameters: schema, strict: false }],
        tool_choice: 'none',
        max_output_tokens: 9,
        reasoning: { summary: 'auto' },
      },
    );
  });

  test('shows calls, results, pictures and files as items', async () => {
    const { messages } = requestOf([
      message('assistant', [{ $type: 'functionCall', callId: 'c1', name: 'f', arguments: {} }], 'writer'),
      message('tool', [{ $type: 'functionResult', callId: 'c1', result: 'ok' }]),
      message('user', [
        { $type: 'uri', uri: 'https://a.test/x', mediaType: 'image/png' },
        { $type: 'data', uri: 'data:application/pdf;base64,AA==' },
      ]),
    ]);

    expect((await bodyOf({ messages, instructions: '' }))['input']).toEqual([
      { type: 'function_call', call_id: 'c1', name: 'f', arguments: '{}' },
      { type: 'function_call_output', call_id: 'c1', output: 'ok' },
      {
        role: 'user',
        content: [
          { type: 'input_image', image_url: 'https://a.test/x', detail: 'auto' },
          { type: 'input_file', file_data: 'data:application/pdf;base64,AA==', filename: 'file.pdf' },
        ],
      },
    ]);
  });
});
