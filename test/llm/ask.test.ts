/** What holds over both APIs: the real client against a real server. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { ModelResponse } from '../../src/llm/provider.js';
import type { HttpModelFault, HttpModelReply, HttpModelRequest } from '../../src/llm/http-model.js';
import { apis, endpointOf, failureFrom, hello, inTurn, message, providerOf, requestOf, type Api } from './support.js';
import { cpuMs } from '../support/cpu.js';

const usage = { inputTokens: 11, outputTokens: 7 };
const counted = { inputTokens: 11, outputTokens: 7, totalTokens: 18, modelCalls: 1 };

/** A reply, and what the same reply has to become over both APIs. */
const replies: [string, HttpModelReply, ModelResponse][] = [
  [
    'words',
    { text: 'Hello there, you.', usage },
    { message: message('assistant', 'Hello there, you.'), facts: { model: 'test-model', finishReason: 'stop', usage: counted } },
  ],
  [
    'reasoning before words',
    { reasoning: 'They greet me.', text: 'Hello.', usage },
    {
      message: message('assistant', [
        { $type: 'reasoning', text: 'They greet me.' },
        { $type: 'text', text: 'Hello.' },
      ]),
      facts: { model: 'test-model', finishReason: 'stop', usage: counted },
    },
  ],
  [
    'words and several calls',
    {
      text: 'Let me look.',
      calls: [
        { name: 'weather', arguments: { city: 'Oslo' } },
        { name: 'time', arguments: {}, id: 'mine' },
      ],
      usage,
    },
    {
      message: message('assistant', [
        { $type: 'text', text: 'Let me look.' },
        { $type: 'functionCall', callId: 'call_1', name: 'weather', arguments: { city: 'Oslo' } },
        { $type: 'functionCall', callId: 'mine', name: 'time', arguments: {} },
      ]),
      facts: { model: 'test-model', finishReason: 'tool_calls', usage: counted },
    },
  ],
  [
    'calls with the same id',
    {
      calls: [
        { name: 'a', arguments: {}, id: 'c' },
        { name: 'b', arguments: {}, id: 'c' },
      ],
      usage,
    },
    {
      message: message('assistant', [
        { $type: 'functionCall', callId: 'c', name: 'a', arguments: {} },
        { $type: 'functionCall', callId: 'c_2', name: 'b', arguments: {} },
      ]),
      facts: { model: 'test-model', finishReason: 'tool_calls', usage: counted },
    },
  ],
  [
    'calls without ids',
    {
      calls: [
        { name: 'a', arguments: {}, id: '' },
        { name: 'b', arguments: {}, id: '' },
      ],
      usage,
    },
    {
      message: message('assistant', [
        { $type: 'functionCall', callId: 'call_1', name: 'a', arguments: {} },
        { $type: 'functionCall', callId: 'call_2', name: 'b', arguments: {} },
      ]),
      facts: { model: 'test-model', finishReason: 'tool_calls', usage: counted },
    },
  ],
  [
    'arguments that are no JSON object',
    { calls: ['{"city": "Os', '[1]', 'null', '""', '{"a":1}', ''].map((text, i) => ({ name: 'f', arguments: text, id: `c${i}` })), usage },
    {
      message: message(
        'assistant',
        [{}, {}, {}, {}, { a: 1 }, {}].map((args, i) => ({
          $type: 'functionCall',
          callId: `c${i}`,
          name: 'f',
          arguments: args as { a: number },
        })),
      ),
      facts: { model: 'test-model', finishReason: 'tool_calls', usage: counted },
      rawArguments: { c0: '{"city": "Os', c1: '[1]', c2: 'null', c3: '""' },
    },
  ],
  [
    'words cut at the limit',
    { text: 'Once upon a', finishReason: 'length', usage },
    { message: message('assistant', 'Once upon a'), facts: { model: 'test-model', finishReason: 'length', usage: counted } },
  ],
  [
    'a call cut at the limit',
    {
      calls: [
        { name: 'f', arguments: '{"a":1}', id: 'whole' },
        { name: 'f', arguments: '', id: 'cut' },
      ],
      finishReason: 'length',
      usage,
    },
    {
      message: message('assistant', [
        { $type: 'functionCall', callId: 'whole', name: 'f', arguments: { a: 1 } },
        { $type: 'functionCall', callId: 'cut', name: 'f', arguments: {} },
      ]),
      facts: { model: 'test-model', finishReason: 'length', usage: counted },
      rawArguments: { cut: '' },
    },
  ],
  [
    'a refusal',
    { refusal: 'I would rather not.', usage },
    { message: message('assistant', 'I would rather not.'), facts: { model: 'test-model', finishReason: 'refusal', usage: counted } },
  ],
  [
    "the endpoint's own name for the model, and no usage",
    { text: 'Hello.', model: 'test-model-2026-01-01', usage: null },
    {
      message: message('assistant', 'Hello.'),
      facts: {
        model: 'test-model-2026-01-01',
        finishReason: 'stop',
        usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 1 },
      },
    },
  ],
];

describe.each(apis)('over %s', (api) => {
  test.each(replies)('a reply of %s comes whole', async (_, reply, expected) => {
    await using endpoint = await endpointOf(() => reply);

    expect(await providerOf(api, endpoint).complete(hello)).toEqual(expected);
  });

  test('words and reasoning are told as they come', async () => {
    await using endpoint = await endpointOf(() => ({ reasoning: 'Hm, well.', text: 'Hello there, you.' }));
    const deltas: { text: string; kind?: string }[] = [];

    await providerOf(api, endpoint).complete(hello, { onDelta: (delta) => deltas.push(delta) });

    expect(deltas).toEqual([
      { text: 'Hm, ', kind: 'reasoning' },
      { text: 'well.', kind: 'reasoning' },
      { text: 'Hello ' },
      { text: 'there, ' },
      { text: 'you.' },
    ]);
  });

  test('an empty reply is asked once more, and paid for', async () => {
    await using endpoint = await endpointOf(inTurn({ text: ' \n', usage }, { text: 'Hello.', usage }));

    const { message: said, facts } = await providerOf(api, endpoint).complete(hello);

    expect(said).toEqual(message('assistant', 'Hello.'));
    expect(facts.usage).toEqual({ inputTokens: 22, outputTokens: 14, totalTokens: 36, modelCalls: 2 });
  });

  test.each([
    ['nothing', { text: '' }, 'The model said nothing, twice.'],
    ['reasoning alone', { reasoning: 'Hm.' }, 'The model said nothing, twice.'],
    ['reasoning up to the limit', { reasoning: 'Hm.', finishReason: 'length' }, 'Raise maxOutputTokens'],
  ])('%s, twice, is a final failure', async (_, reply, words) => {
    let calls = 0;
    await using endpoint = await endpointOf(() => (calls++, reply));

    const failure = await failureFrom(providerOf(api, endpoint).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.Empty', nonRetryable: true });
    expect(failure.message).toContain(words);
    expect(calls).toBe(2);
  });

  test.each([
    ['the content filter', { text: 'Well', finishReason: 'content_filter' }, 'Model.Refused', true],
    ['a stream cut in the middle', { cut: true, text: 'Once upon' }, 'Model.Malformed', false],
    ['a stream without anything', { cut: true }, 'Model.Malformed', false],
    ['a connection broken at once', { reset: true }, 'Model.Unavailable', false],
    ['a connection broken in the middle', { reset: true, text: 'Once upon' }, 'Model.Unavailable', false],
    ['a stream of broken JSON', { raw: ['data: {"choices": [\n\n'] }, 'Model.Malformed', false],
    ['a stream of something else', { raw: ['data: null\n\n'] }, 'Model.Malformed', false],
    ['a body that is no stream', { raw: ['<html>Hello</html>'] }, 'Model.Malformed', false],
    [
      'an error in the stream',
      { raw: ['data: {"error": {"message": "overloaded", "code": "server_error"}}\n\n'] },
      'Model.Unavailable',
      false,
    ],
    ['a rate limit in the stream', { raw: ['data: {"error": {"message": "slow down", "code": 429}}\n\n'] }, 'Model.RateLimited', false],
    ['bad credentials', { status: 401, body: { error: { message: 'Incorrect API key provided: test-key' } } }, 'Model.Refused', true],
    ['an unknown model', { status: 404, body: { error: { message: 'No such model', code: 'model_not_found' } } }, 'Model.Refused', true],
    [
      'a conversation too long',
      { status: 400, body: { error: { message: 'too long', code: 'context_length_exceeded' } } },
      'Model.ContextLength',
      true,
    ],
    ['an overloaded server', { status: 503, body: 'upstream connect error' }, 'Model.Unavailable', false],
    [
      'a page of a proxy',
      { status: 502, headers: { 'content-type': 'text/html' }, body: '<html><h1>Bad gateway</h1></html>' },
      'Model.Unavailable',
      false,
    ],
  ] satisfies [string, HttpModelReply | HttpModelFault, string, boolean][])(
    '%s is a typed failure',
    async (_, reply, type, nonRetryable) => {
      let calls = 0;
      await using endpoint = await endpointOf(() => (calls++, reply));

      const failure = await failureFrom(providerOf(api, endpoint).complete(hello));

      expect(failure).toMatchObject({ type, nonRetryable });
      expect(failure.message).not.toContain('test-key');
      expect(calls).toBe(1);
    },
  );

  test.each([
    ['milliseconds', () => ({ 'retry-after-ms': '1234' }), 1234, 1234],
    ['seconds', () => ({ 'retry-after': '7' }), 7000, 7000],
    ['a date', () => ({ 'retry-after': new Date(Date.now() + 30_000).toUTCString() }), 20_000, 30_000],
  ])('the wait that a rate limit asks for is kept, in %s', async (_, headers, from, to) => {
    await using endpoint = await endpointOf(() => ({ status: 429, headers: headers() }));

    const failure = await failureFrom(providerOf(api, endpoint).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.RateLimited', nonRetryable: false });
    expect(failure.nextRetryDelay).toBeGreaterThanOrEqual(from);
    expect(failure.nextRetryDelay).toBeLessThanOrEqual(to);
  });

  test('an endpoint that is not there is named with its reason', async () => {
    const gone = await endpointOf(() => ({ text: '' }));
    await gone.close();

    const failure = await failureFrom(providerOf(api, gone).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.Unavailable', nonRetryable: false });
    expect(failure.message).toContain(`ECONNREFUSED 127.0.0.1:${gone.port}`);
  });

  test.each([
    ['before it answers', { hang: true } as const],
    ['in the middle of its words', { hang: true, text: 'Once upon a' } as const],
  ])('a silent endpoint is given up %s', async (_, reply) => {
    await using endpoint = await endpointOf(() => reply);

    const failure = await failureFrom(providerOf(api, { ...endpoint, timeoutMs: 150 }).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.Unavailable', nonRetryable: false });
  });

  test('an endpoint that speaks slowly is not silent', async () => {
    await using endpoint = await endpointOf(() => ({ text: 'one two three four five six seven eight', delayMs: 400 }));

    const reply = await providerOf(api, { ...endpoint, timeoutMs: 2000 }).complete(hello);

    expect(reply.message).toEqual(message('assistant', 'one two three four five six seven eight'));
  });

  test.each([
    ['before the endpoint answers', { hang: true } as const],
    ['in the middle of its words', { text: 'word '.repeat(1000), delayMs: 20 }],
  ])('an abort %s closes the connection within a second, and its reason is thrown', async (_, reply) => {
    let ask: (request: HttpModelRequest) => void;
    const asked = new Promise<HttpModelRequest>((resolve) => (ask = resolve));
    await using endpoint = await endpointOf((request) => (ask(request), reply));
    const abort = new AbortController();
    const reason = new Error('cancelled');
    const call = failureFrom(providerOf(api, endpoint).complete(hello, { signal: abort.signal }));
    const { signal } = await asked;
    await new Promise((resolve) => setTimeout(resolve, 60));

    const began = cpuMs();
    abort.abort(reason);
    expect(await call).toBe(reason);
    if (!signal.aborted) await once(signal, 'abort');

    expect(cpuMs() - began).toBeLessThan(1000);
  });

  test('an abort before the call sends nothing', async () => {
    let calls = 0;
    await using endpoint = await endpointOf(() => (calls++, { text: 'Hello.' }));
    const reason = new Error('too late');

    expect(await failureFrom(providerOf(api, endpoint).complete(hello, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    expect(calls).toBe(0);
  });

  test('a signal that lives on keeps nothing of a finished call', async () => {
    await using endpoint = await endpointOf(() => ({ text: 'Hello.' }));
    const abort = new AbortController();
    const provider = providerOf(api, endpoint);
    const warnings: string[] = [];
    const onWarning = ({ name }: Error) => warnings.push(name);
    process.on('warning', onWarning);

    for (let call = 0; call < 30; call++) await provider.complete(hello, { signal: abort.signal });

    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', onWarning);
    expect(warnings).toEqual([]);
  });

  test('a megabyte in many words and in one comes whole', async () => {
    const words = 'lorem ipsum dolor sit amet '.repeat(40_000);
    const chunks = Array.from({ length: 20_000 }, (_, i) => words.slice(i * 54, (i + 1) * 54));
    await using endpoint = await endpointOf(inTurn({ text: '', chunks }, { text: '', chunks: [words] }));
    const provider = providerOf(api, endpoint);
    let told = 0;

    for (const _ of [1, 2]) {
      const reply = await provider.complete(hello, { onDelta: ({ text }) => (told += text.length) });
      expect(reply.message).toEqual(message('assistant', words));
    }

    expect(told).toBe(2 * words.length);
  });

  test('words in any language come whole, wherever the network cuts them', async () => {
    const text = 'Grüße, 你好, 🙂👩‍👩‍👧 and é.';
    const bytes = Buffer.from(await bodyOf(api, { text, chunks: [text] }));
    const pieces = Array.from({ length: Math.ceil(bytes.length / 7) }, (_, i) => bytes.subarray(i * 7, (i + 1) * 7));
    await using endpoint = await endpointOf(() => ({ raw: pieces, delayMs: 1 }));

    const reply = await providerOf(api, endpoint).complete(hello);

    expect(reply.message).toEqual(message('assistant', text));
  });

  test('what is asked arrives: tools, settings and schema', async () => {
    let asked: HttpModelRequest | undefined;
    await using endpoint = await endpointOf((request) => ((asked = request), { text: '{}' }));
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const outputSchema = { type: 'object', properties: { ok: { type: 'boolean' } } };
    const tools = [{ name: 'weather', description: 'Tells the weather.', parameters }];

    await providerOf(api, endpoint).complete({ ...hello, tools, mustAnswer: true, temperature: 0.2, maxOutputTokens: 99, outputSchema });

    expect(asked).toMatchObject({ model: 'test-model', tools, toolChoice: 'none', temperature: 0.2, maxOutputTokens: 99, outputSchema });
    expect(asked?.body).toMatchObject({ stream: true });
    expect(asked?.headers['authorization']).toBe('Bearer test-key');
  });

  test('a conversation arrives in its order, with calls and results', async () => {
    let asked: HttpModelRequest | undefined;
    await using endpoint = await endpointOf((request) => ((asked = request), { text: 'Done.' }));

    await providerOf(api, endpoint).complete(
      requestOf([
        message('user', 'Weather?'),
        message(
          'assistant',
          [
            { $type: 'text', text: 'A moment.' },
            { $type: 'functionCall', callId: 'c1', name: 'weather', arguments: { city: 'Oslo' } },
          ],
          'writer',
        ),
        message('tool', [{ $type: 'functionResult', callId: 'c1', result: 'rain' }], 'writer'),
        message('assistant', 'Rain.', 'writer'),
        message('assistant', 'Be shorter.', 'editor'),
      ]),
    );

    expect(asked?.messages).toEqual([
      { role: 'system', content: 'Write.' },
      { role: 'user', content: 'Weather?' },
      { role: 'assistant', content: 'A moment.', calls: [{ id: 'c1', name: 'weather', arguments: '{"city":"Oslo"}' }] },
      { role: 'tool', content: 'rain', callId: 'c1' },
      { role: 'assistant', content: 'Rain.' },
      { role: 'user', content: '[editor]\nBe shorter.' },
    ]);
  });

  test('call ids are new in the conversation, also where the endpoint counts from one each time', async () => {
    await using endpoint = await endpointOf(() => ({
      calls: [
        { name: 'f', arguments: {}, id: 'call_1' },
        { name: 'f', arguments: {}, id: '' },
      ],
    }));
    const earlier = message(
      'assistant',
      [
        { $type: 'functionCall', callId: 'call_1', name: 'f', arguments: {} },
        { $type: 'functionCall', callId: 'call_2', name: 'f', arguments: {} },
      ],
      'writer',
    );

    const { message: said } = await providerOf(api, endpoint).complete(requestOf([earlier]));

    expect(said.contents).toMatchObject([{ callId: 'call_1_2' }, { callId: 'call_3' }]);
  });
});

/** The stream of a reply, as bytes. */
async function bodyOf(api: Api, reply: HttpModelReply): Promise<ArrayBuffer> {
  await using endpoint = await endpointOf(() => reply);
  const path = api === 'chat' ? '/chat/completions' : '/responses';
  const response = await fetch(endpoint.baseURL + path, {
    method: 'POST',
    body: JSON.stringify({ model: 'test-model', stream: true, messages: [], input: [] }),
  });
  return await response.arrayBuffer();
}

test('a connection that the server closes without a word is a failure that may be tried again', async () => {
  const server = createServer((request) => request.socket.destroy()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;

  const failure = await failureFrom(providerOf('chat', { baseURL }).complete(hello));

  server.close();
  expect(failure).toMatchObject({ type: 'Model.Unavailable', nonRetryable: false });
});
