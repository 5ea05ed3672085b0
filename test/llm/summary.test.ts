import { describe, expect, test } from 'vitest';
import { fail } from '../../src/contract/failure.js';
import { textOf } from '../../src/contract/message.js';
import type { ModelResponse } from '../../src/llm/provider.js';
import { prose, sumUp } from '../../src/llm/summary.js';
import { failureFrom, message } from './support.js';

const heard = (...messages: ReturnType<typeof message>[]) => messages.map((one) => ({ message: one }));
const talk = heard(
  message('user', 'Where is the ship?', 'anna'),
  message('assistant', [{ $type: 'functionCall', callId: 'c', name: 'look', arguments: { ship: 'Erebus' } }], 'writer'),
  message('tool', [{ $type: 'functionResult', callId: 'c', result: { found: true } }], 'writer'),
  message(
    'assistant',
    [
      { $type: 'reasoning', text: 'hm' },
      { $type: 'text', text: 'In the ice.' },
    ],
    'writer',
  ),
  message('user', [{ $type: 'data', uri: 'data:image/png;base64,AAAA', mediaType: 'image/png' }]),
);
const saying = (text: string, finishReason = 'stop'): ModelResponse => ({
  message: message('assistant', text),
  facts: { model: 'm', finishReason, usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2, modelCalls: 1 } },
});

describe('a conversation as prose', () => {
  test('says who has said what, calls and results too', () => {
    expect(prose(talk, 'writer', 10_000)).toBe(
      [
        '[anna]\nWhere is the ship?',
        '[writer]\n(calls look with {"ship":"Erebus"})',
        '[tool]\n(result: {"found":true})',
        '[writer]\nIn the ice.',
        '[user]\n(image/png)',
      ].join('\n\n'),
    );
  });

  test('of long messages the beginnings, of very many the newest', () => {
    const long = heard(...Array.from({ length: 40 }, (_, n) => message('user', `${n} ${'x'.repeat(20_000)}`)));

    expect(prose(long, 'writer', 100_000).length).toBeLessThanOrEqual(100_000);
    expect(prose(long, 'writer', 100_000)).toContain('\n0 x');
    expect(prose(long, 'writer', 1000).length).toBeLessThanOrEqual(1010);
    expect(prose(long, 'writer', 1000)).toContain('\n39 x');
  });
});

describe('a summary', () => {
  const sum = (ask: (text: string) => Promise<ModelResponse>, tokens = 1000) => sumUp(talk, { agent: 'writer', tokens, ask });

  test('is what the model says, at most a quarter of what a request may have', async () => {
    const { message: made } = await sum(async () => saying(` ${'word '.repeat(2000)}`));

    expect(made.role).toBe('user');
    expect(textOf(made)).toMatch(/^Summary of what was said before:\n\nword /);
    expect(textOf(made).length).toBeLessThan(1000 + 100);
  });

  test('is asked for once more with less, when it was too long', async () => {
    const asked: string[] = [];
    const ask = async (text: string) => {
      asked.push(text);
      if (asked.length === 1) throw fail('Model.ContextLength', 'too long');
      return saying('short');
    };

    expect(textOf((await sum(ask, 30)).message)).toContain('short');

    expect(asked).toHaveLength(2);
    expect(asked[1]!.length).toBeLessThan(asked[0]!.length);
  });

  test.each([
    ['nothing', saying('  '), 'Model.Empty'],
    ['no', saying('I cannot.', 'refusal'), 'Model.Refused'],
  ])('is none when the model says %s', async (_, response, type) => {
    expect(await failureFrom(sum(async () => response))).toMatchObject({ type });
  });
});
