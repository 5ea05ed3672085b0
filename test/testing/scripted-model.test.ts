import { describe, expect, test } from 'vitest';
import { createProviders } from '../../src/llm/providers.js';
import type { ModelRequest } from '../../src/llm/provider.js';
import { textOf } from '../../src/contract/message.js';
import { scriptedModel, type ScriptedModel } from '../../src/testing/scripted-model.js';
import { apis, failureFrom, message, requestOf } from '../llm/support.js';

/** What the model says to an agent whose model has its name. */
async function ask(model: ScriptedModel, name: string, more: Partial<ModelRequest> = {}, api: 'chat' | 'responses' = 'chat') {
  const { entry } = createProviders(model.providers({ api })).resolve(name);
  return await entry.provider.complete({ ...requestOf([message('user', 'tea')]), model: name, agent: name, ...more });
}

describe.each(apis)('over %s', (api) => {
  test('replies come in order, in every form', async () => {
    await using model = await scriptedModel([
      'one',
      { text: 'two', model: 'x' },
      () => 'three',
      (call) => Promise.resolve({ text: call.model }),
    ]);

    const said = [];
    for (let i = 0; i < 4; i++) said.push(textOf((await ask(model, 'writer', {}, api)).message));

    expect(said).toEqual(['one', 'two', 'three', 'writer']);
    model.assertComplete();
  });

  test('a call is remembered as it came', async () => {
    await using model = await scriptedModel(['yes']);
    const tools = [{ name: 'f', description: 'Does.', parameters: { type: 'object' } }];

    await ask(model, 'writer', { instructions: 'Write.', messages: [{ message: message('assistant', 'facts', 'analyst') }], tools }, api);

    expect(model.calls).toMatchObject([
      {
        api,
        model: 'writer',
        instructions: 'Write.',
        tools,
        messages: [
          { role: 'system', content: 'Write.' },
          { role: 'user', content: '[analyst]\nfacts' },
        ],
      },
    ]);
  });
});

test('one function answers every call', async () => {
  await using model = await scriptedModel((call) => `${call.messages.length} heard`);

  for (let i = 0; i < 3; i++) expect(textOf((await ask(model, 'writer')).message)).toBe('2 heard');
  model.assertComplete();
});

test('each model has a script of its own', async () => {
  await using model = await scriptedModel({ writer: ['a draft', 'a better draft'], editor: (call) => `edited for ${call.model}` });

  expect(textOf((await ask(model, 'editor')).message)).toBe('edited for editor');
  expect(textOf((await ask(model, 'writer')).message)).toBe('a draft');
  expect(textOf((await ask(model, 'writer')).message)).toBe('a better draft');
  model.assertComplete();
});

test('a fault is a fault', async () => {
  await using model = await scriptedModel([{ status: 503 }, { cut: true, text: 'Once' }, 'all well']);

  expect(await failureFrom(ask(model, 'writer'))).toMatchObject({ type: 'Model.Unavailable' });
  expect(await failureFrom(ask(model, 'writer'))).toMatchObject({ type: 'Model.Malformed' });
  expect(textOf((await ask(model, 'writer')).message)).toBe('all well');
});

describe('a test can ask who heard what', () => {
  test('by text, and by author', async () => {
    await using model = await scriptedModel(['yes']);
    const messages = [
      message('user', 'tea'),
      message('assistant', 'a draft', 'editor'),
      message('assistant', 'mine', 'writer'),
      message('user', 'more', 'Ada'),
    ];

    await ask(model, 'writer', { messages: messages.map((one) => ({ message: one })) });

    const [call] = model.calls;
    expect(call!.heard('draft')).toBe(true);
    expect(call!.heard('coffee')).toBe(false);
    for (const [author, text] of [
      ['editor', 'a draft'],
      ['assistant', 'mine'],
      ['Ada', 'more'],
      ['user', 'tea'],
      ['system', 'Write.'],
    ] as const) {
      expect(call!.heard(author, text)).toBe(true);
    }
    expect(call!.heard('Ada', 'tea')).toBe(false);
    expect(call!.heard('writer', 'a draft')).toBe(false);
  });

  test('and wait until a call has come, and until its client has gone', async () => {
    await using model = await scriptedModel([{ hang: true }, 'never asked for']);
    const abort = new AbortController();
    const { entry } = createProviders(model.providers()).resolve('writer');
    const call = failureFrom(entry.provider.complete(requestOf([message('user', 'tea')]), { signal: abort.signal }));

    await model.called(1);
    abort.abort(new Error('enough'));
    await model.aborted(1);

    expect((await call).message).toBe('enough');
  });
});

describe('a script that is not followed', () => {
  test('refuses a call beyond its end for good, and says so', async () => {
    await using model = await scriptedModel(['one']);
    await ask(model, 'writer');

    const failure = await failureFrom(ask(model, 'writer'));

    expect(failure).toMatchObject({ type: 'Model.Refused', nonRetryable: true });
    expect(failure.message).toContain('The script has no reply left for call 2, of model "writer".');
    expect(() => model.assertComplete()).toThrow('The script has no reply left for call 2, of model "writer".');
  });

  test('refuses a model that it does not know', async () => {
    await using model = await scriptedModel({ writer: [] });

    expect((await failureFrom(ask(model, 'editor'))).message).toContain('The script has no part for model "editor".');
    expect(() => model.assertComplete()).toThrow('no part for model "editor"');
  });

  test('tells of replies that nobody asked for', async () => {
    await using model = await scriptedModel({ writer: ['one', 'two'], editor: ['three'] });
    await ask(model, 'writer');

    expect(() => model.assertComplete()).toThrow(
      'after 1 calls. 1 of the replies of "writer" were never asked for. 1 of the replies of "editor" were never asked for.',
    );
  });

  test('tells of a function that failed', async () => {
    await using model = await scriptedModel(() => {
      throw new Error('expected tea');
    });

    expect(await failureFrom(ask(model, 'writer'))).toMatchObject({ type: 'Model.Refused', nonRetryable: true });
    expect(() => model.assertComplete()).toThrow('The script failed at call 1: expected tea');
  });
});
