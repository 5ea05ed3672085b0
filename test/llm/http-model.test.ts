import { once } from 'node:events';
import { OpenAI } from 'openai';
import { describe, expect, test } from 'vitest';
import { serveModel } from '../../src/llm/http-model.js';
import { endpointOf, failureFrom } from './support.js';

const clientOf = (baseURL: string) => new OpenAI({ baseURL, apiKey: 'k', maxRetries: 0 });
const user = [{ role: 'user' as const, content: 'Hello.' }];

describe('any OpenAI client can speak to it', () => {
  test('Chat Completions, whole', async () => {
    await using model = await endpointOf(() => ({
      reasoning: 'Hm.',
      text: 'Hi.',
      calls: [{ name: 'f', arguments: { a: 1 } }],
      usage: { inputTokens: 3, outputTokens: 2 },
    }));

    const { choices, usage } = await clientOf(model.baseURL).chat.completions.create({ model: 'm', messages: user });

    expect(usage).toEqual({ prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 });
    expect(choices).toEqual([
      {
        index: 0,
        finish_reason: 'tool_calls',
        message: {
          role: 'assistant',
          content: 'Hi.',
          reasoning_content: 'Hm.',
          tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'f', arguments: '{"a":1}' } }],
        },
      },
    ]);
  });

  test('Responses, whole', async () => {
    await using model = await endpointOf(() => ({ text: 'Hi.', finishReason: 'length' }));

    const response = await clientOf(model.baseURL).responses.create({ model: 'm', input: 'Hello.', instructions: 'Be kind.' });

    expect(response).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      output_text: 'Hi.',
      usage: { input_tokens: 4 },
    });
  });

  test("the library's own stream helpers agree with the stream", async () => {
    await using model = await endpointOf(() => ({ text: 'Hi there.', calls: [{ name: 'f', arguments: { a: 1 } }] }));
    const client = clientOf(model.baseURL);

    const chat = await client.chat.completions.stream({ model: 'm', messages: user }).finalChatCompletion();
    const response = await client.responses.stream({ model: 'm', input: 'Hello.' }).finalResponse();

    expect(chat.choices[0]).toMatchObject({ finish_reason: 'tool_calls', message: { content: 'Hi there.' } });
    expect(response).toMatchObject({ output_text: 'Hi there.', output: [{}, { type: 'function_call', arguments: '{"a":1}' }] });
  });

  test('the list of models', async () => {
    const model = await serveModel(() => ({ text: '' }), { models: ['a', 'b'] });

    const { data } = await clientOf(model.baseURL).models.list();

    await model.close();
    expect(data.map(({ id }) => id)).toEqual(['a', 'b']);
  });
});

describe('it answers everything', () => {
  test.each([
    ['another path', '/v1/embeddings', '{}', 404],
    ['a body that is no JSON', '/v1/chat/completions', '{"model":', 400],
    ['a body that is no object', '/v1/responses', '[1]', 400],
  ])('%s', async (_, path, body, status) => {
    await using model = await endpointOf(() => ({ text: 'Hi.' }));

    const response = await fetch(new URL(path, model.baseURL), { method: 'POST', body });

    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ error: { message: expect.any(String) as string } });
  });

  test('a function that throws, with status 500 and its words', async () => {
    await using model = await endpointOf(() => {
      throw new Error('I forgot.');
    });

    const failure = await failureFrom(clientOf(model.baseURL).chat.completions.create({ model: 'm', messages: user }));

    expect(failure).toMatchObject({ status: 500, message: '500 I forgot.' });
  });

  test('many at the same time', async () => {
    await using model = await endpointOf(({ messages }) => ({ text: messages[0]!.content, delayMs: 5 }));
    const client = clientOf(model.baseURL);

    const said = await Promise.all(
      Array.from({ length: 50 }, (_, i) => client.chat.completions.create({ model: 'm', messages: [{ role: 'user', content: `n${i}` }] })),
    );

    expect(said.map(({ choices }) => choices[0]?.message.content)).toEqual(Array.from({ length: 50 }, (_, i) => `n${i}`));
  });
});

test('closing breaks off what is under way', async () => {
  let gone: Promise<unknown> | undefined;
  const model = await serveModel(({ signal }) => ((gone = once(signal, 'abort')), { hang: true }));
  const call = failureFrom(clientOf(model.baseURL).chat.completions.create({ model: 'm', messages: user }));
  while (!gone) await new Promise((resolve) => setTimeout(resolve, 5));

  await model.close();

  await gone;
  expect((await call).message).toMatch(/connection|fetch|socket/i);
});

test('a port can be asked for, and one that is taken is refused with a reason', async () => {
  const first = await serveModel(() => ({ text: '' }));

  const failure = await failureFrom(serveModel(() => ({ text: '' }), { port: first.port }));

  await first.close();
  expect(failure).toMatchObject({
    type: 'Input.Invalid',
    message: `Port ${first.port} of 127.0.0.1 cannot be used (EADDRINUSE). Choose another one.`,
  });
  const again = await serveModel(() => ({ text: '' }), { port: first.port });
  expect(again.port).toBe(first.port);
  await again.close();
});
