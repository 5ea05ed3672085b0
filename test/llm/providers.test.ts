import { describe, expect, test } from 'vitest';
import type { ModelProvider } from '../../src/llm/provider.js';
import { createProviders } from '../../src/llm/providers.js';
import { endpointOf, hello, message } from './support.js';

const own: ModelProvider = {
  complete: () =>
    Promise.resolve({
      message: message('assistant', 'mine'),
      facts: { model: 'm', finishReason: 'stop', usage: { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 1 } },
    }),
};

describe('a model is found by its name', () => {
  const providers = createProviders({ default: own, named: { local: own, 'other-one': own }, defaultModel: 'local/tiny' });

  test.each([
    ['gpt', 'default', 'gpt'],
    ['local/llama', 'local', 'llama'],
    ['local/meta/llama', 'local', 'meta/llama'],
    ['meta/llama', 'default', 'meta/llama'],
    ['default/meta/llama', 'default', 'meta/llama'],
    ['other-one/x', 'other-one', 'x'],
    ['local', 'default', 'local'],
    [undefined, 'local', 'tiny'],
  ])('%s', (wanted, providerName, model) => {
    expect(providers.resolve(wanted)).toMatchObject({ providerName, model, entry: { provider: own } });
  });

  test('a name that no provider serves is refused, with those that are there', () => {
    const { resolve } = createProviders({ named: { local: own }, defaultModel: 'gpt' });

    expect(() => resolve('gpt')).toThrow('No provider here serves the model "gpt". Write it as provider/model with one of: local.');
    expect(() => resolve('toString/x')).toThrow('toString/x');
  });
});

test('settings become providers that speak the API they name', async () => {
  const spoken: string[] = [];
  await using endpoint = await endpointOf(({ api, headers }) => (spoken.push(`${api} ${headers['authorization']}`), { text: 'Hi.' }));
  const { baseURL } = endpoint;
  const providers = createProviders({
    default: { baseURL, apiKey: () => 'a' },
    named: {
      new: { baseURL, apiKey: () => 'b', api: 'responses', maxCallsPerSecond: 5, maxConcurrentCalls: 2 },
      old: { baseURL, apiKey: () => 'c', api: 'chat' },
    },
    defaultModel: 'm',
  });

  for (const name of ['m', 'new/m', 'old/m']) await providers.resolve(name).entry.provider.complete(hello);

  expect(spoken).toEqual(['chat Bearer a', 'responses Bearer b', 'chat Bearer c']);
  expect([...providers.entries.keys()].sort()).toEqual(['default', 'new', 'old']);
  expect(providers.entries.get('new')).toMatchObject({ maxCallsPerSecond: 5, maxConcurrentCalls: 2 });
  expect(providers.entries.get('default')).not.toHaveProperty('maxCallsPerSecond');
});

test('a provider of our own may come with limits', () => {
  const { entries } = createProviders({ default: { provider: own, maxConcurrentCalls: 3 }, defaultModel: 'm' });

  expect(entries.get('default')).toEqual({ provider: own, maxConcurrentCalls: 3 });
});
