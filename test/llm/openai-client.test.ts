import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Json } from '../../src/contract/json.js';
import type { HttpModelRequest } from '../../src/llm/http-model.js';
import { openaiChat } from '../../src/llm/openai-chat.js';
import { endpointOf, failureFrom, hello } from './support.js';

afterEach(() => vi.unstubAllEnvs());

describe('an error is understood in every form that endpoints send', () => {
  const words = "This model's maximum context length is 4096 tokens.";

  test.each([
    ['{ error: { message } }', { error: { message: words } }],
    ['{ error: text }', { error: words }],
    ['{ message }', { object: 'error', message: words, code: 400 }],
    ['{ detail: text }', { detail: words }],
    ['[{ error }]', [{ error: { code: 400, message: words, status: 'INVALID_ARGUMENT' } }]],
    ['a text', words],
    ['a JSON text', JSON.stringify(words)],
  ] satisfies [string, Json][])('%s', async (_, body) => {
    await using endpoint = await endpointOf(() => ({ status: 400, body }));

    const failure = await failureFrom(openaiChat({ ...endpoint, apiKey: 'k' }).complete(hello));

    expect(failure.type).toBe('Model.ContextLength');
    expect(failure.message).toContain('maximum context length is 4096');
    expect(failure.details).toMatchObject([{ status: 400 }]);
  });

  test.each([
    ['no body', ''],
    ['an empty object', {}],
    ['a list of problems that quote the request', { detail: [{ loc: ['body'], input: 'Hello.' }] }],
  ] satisfies [string, Json][])('%s says nothing', async (_, body) => {
    await using endpoint = await endpointOf(() => ({ status: 422, body, headers: { 'x-request-id': 'req_1' } }));

    const failure = await failureFrom(openaiChat({ ...endpoint, apiKey: 'k' }).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.Refused', details: [{ status: 422, requestId: 'req_1' }] });
    expect(failure.message).not.toContain('Hello.');
  });
});

describe('the key', () => {
  test('is asked for before every call', async () => {
    const sent: (string | undefined)[] = [];
    await using endpoint = await endpointOf(({ headers }) => (sent.push(headers['authorization']), { text: 'Hi.' }));
    let number = 0;
    const provider = openaiChat({ ...endpoint, apiKey: () => `key-${++number}` });

    await provider.complete(hello);
    await provider.complete(hello);

    expect(sent).toEqual(['Bearer key-1', 'Bearer key-2']);
  });

  test('may be empty', async () => {
    await using endpoint = await endpointOf(() => ({ text: 'Hi.' }));

    await expect(openaiChat({ ...endpoint, apiKey: '' }).complete(hello)).resolves.toMatchObject({ facts: { finishReason: 'stop' } });
  });

  test('that cannot be read is a final failure, and what went wrong stays here', async () => {
    const apiKey = () => {
      throw new Error('vault token hunter2 expired');
    };

    const failure = await failureFrom(openaiChat({ baseURL: 'http://127.0.0.1:9/v1', apiKey }).complete(hello));

    expect(failure).toMatchObject({ type: 'Model.Refused', nonRetryable: true });
    expect(failure.message).not.toContain('hunter2');
  });

  test('that cannot be sent is not shown', async () => {
    const failure = await failureFrom(openaiChat({ baseURL: 'http://127.0.0.1:9/v1', apiKey: 'hunter2\nhunter3' }).complete(hello));

    expect(failure.type).toMatch(/^Model\./);
    expect(JSON.stringify([failure.message, failure])).not.toMatch(/hunter[23]/);
  });
});

test("nothing is taken from the client library's own environment variables", async () => {
  let asked: HttpModelRequest | undefined;
  await using endpoint = await endpointOf((request) => ((asked = request), { text: 'Hi.' }));
  vi.stubEnv('OPENAI_ORG_ID', 'org-other');
  vi.stubEnv('OPENAI_PROJECT_ID', 'proj-other');
  vi.stubEnv('OPENAI_API_KEY', 'sk-other');
  vi.stubEnv('OPENAI_ADMIN_KEY', 'sk-admin-other');

  await openaiChat({ ...endpoint, apiKey: 'mine', headers: { 'x-team': 'blue' } }).complete(hello);

  expect(JSON.stringify(asked?.headers)).not.toContain('other');
  expect(asked?.headers).toMatchObject({ authorization: 'Bearer mine', 'x-team': 'blue' });
});

test('a fetch of our own is used', async () => {
  await using endpoint = await endpointOf(() => ({ text: 'Hi.' }));
  const asked: string[] = [];
  const own: typeof fetch = (input, init) => {
    asked.push(String(input instanceof Request ? input.url : input));
    return fetch(input, init);
  };

  await openaiChat({ ...endpoint, apiKey: 'k', fetch: own }).complete(hello);

  expect(asked).toEqual([`${endpoint.baseURL}/chat/completions`]);
});

test('nothing is printed, whatever an endpoint sends', async () => {
  await using endpoint = await endpointOf(() => ({ raw: ['data: {broken\n\n'] }));
  const printed = (['log', 'info', 'warn', 'error', 'debug'] as const).map((level) => vi.spyOn(console, level));

  await failureFrom(openaiChat({ ...endpoint, apiKey: 'k' }).complete(hello));

  for (const spy of printed) {
    expect(spy).not.toHaveBeenCalled();
    spy.mockRestore();
  }
});
