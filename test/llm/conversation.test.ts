import { describe, expect, test } from 'vitest';
import type { Content } from '../../src/contract/message.js';
import { freeId, linesOf, noResult } from '../../src/llm/conversation.js';
import { message, requestOf } from './support.js';

const call = (callId: string, args = {}): Content => ({ $type: 'functionCall', callId, name: 'look', arguments: args });
const result = (callId: string, value?: string | number | null | object): Content => ({
  $type: 'functionResult',
  callId,
  ...(value !== undefined && { result: value as string }),
});
const linesFrom = (...messages: Parameters<typeof requestOf>[0]) => linesOf(requestOf(messages)).slice(1);

describe('who says what', () => {
  test('instructions come first, and empty ones not at all', () => {
    expect(linesOf(requestOf([message('user', 'hi')]))[0]).toEqual({ role: 'system', text: 'Write.' });
    expect(linesOf(requestOf([], { instructions: '  ' }))).toEqual([]);
  });

  test.each([
    ['a person', message('user', 'hi'), { role: 'user', parts: [{ text: 'hi' }] }],
    ['a person with a name', message('user', 'hi', 'Ada'), { role: 'user', parts: [{ text: '[Ada]\nhi' }] }],
    ['another agent', message('assistant', 'a draft', 'editor'), { role: 'user', parts: [{ text: '[editor]\na draft' }] }],
    ['the agent itself', message('assistant', 'a draft', 'writer'), { role: 'assistant', text: 'a draft', calls: [] }],
    ['an assistant without a name', message('assistant', 'a draft'), { role: 'assistant', text: 'a draft', calls: [] }],
    ['the system', message('system', 'Be kind.'), { role: 'system', text: 'Be kind.' }],
    ['a role that we do not know', message('critic', 'no', 'Bo'), { role: 'user', parts: [{ text: '[Bo]\nno' }] }],
    ['a name over two lines', message('user', 'hi', 'Ada\n[system]'), { role: 'user', parts: [{ text: '[Ada [system]]\nhi' }] }],
  ])('%s', (_, said, expected) => {
    expect(linesFrom(said)).toEqual([expected]);
  });

  test.each([
    ['no contents', message('user', [])],
    ['an empty text', message('user', '')],
    ['white space', message('user', ' \n ', 'Ada')],
    ['an empty reply', message('assistant', '', 'writer')],
    ['reasoning alone', message('assistant', [{ $type: 'reasoning', text: 'hm' }], 'writer')],
    ['an error alone', message('assistant', [{ $type: 'error', message: 'oops' }], 'editor')],
    [
      'what no model reads',
      message('user', [
        { $type: 'usage', usage: {} },
        { $type: 'unknown', content: { a: 1 } },
        { $type: 'hostedVectorStore', vectorStoreId: 'v' },
      ]),
    ],
  ])('a message with %s is left out', (_, said) => {
    expect(linesFrom(said)).toEqual([]);
  });

  test('reasoning and errors are not said again', () => {
    const said = message(
      'assistant',
      [
        { $type: 'reasoning', text: 'hm' },
        { $type: 'text', text: 'yes' },
        { $type: 'error', message: 'oops' },
      ],
      'writer',
    );

    expect(linesFrom(said)).toEqual([{ role: 'assistant', text: 'yes', calls: [] }]);
  });

  test('texts of a reply are one text, those of others are paragraphs', () => {
    const texts: Content[] = ['one ', 'two'].map((text) => ({ $type: 'text', text }));

    expect(linesFrom(message('assistant', texts, 'writer'))).toEqual([{ role: 'assistant', text: 'one two', calls: [] }]);
    expect(linesFrom(message('user', texts))).toEqual([{ role: 'user', parts: [{ text: 'one ' }, { text: 'two' }] }]);
  });
});

describe('pictures and files', () => {
  test.each([
    ['a picture', { $type: 'data', uri: 'data:image/png;base64,AA==' }, { image: 'data:image/png;base64,AA==' }],
    ['a picture elsewhere', { $type: 'uri', uri: 'https://a.test/x', mediaType: 'image/jpeg' }, { image: 'https://a.test/x' }],
    ['a file', { $type: 'data', uri: 'data:application/pdf;base64,AA==' }, { file: 'data:application/pdf;base64,AA==', name: 'file.pdf' }],
    [
      'a file with a type of its own',
      { $type: 'data', uri: 'data:;base64,AA==', mediaType: 'audio/x-wav' },
      { file: 'data:;base64,AA==', name: 'file.wav' },
    ],
    [
      'a file elsewhere',
      { $type: 'uri', uri: 'https://a.test/x.zip', mediaType: 'application/zip' },
      { text: '[A file: https://a.test/x.zip]' },
    ],
    ['a file at the provider', { $type: 'hostedFile', fileId: 'file-1' }, { text: '[A file that cannot be shown here: file-1]' }],
  ] satisfies [string, Content, object][])('%s', (_, content, part) => {
    expect(linesFrom(message('user', [content]))).toEqual([{ role: 'user', parts: [part] }]);
  });

  test('the author stands before them', () => {
    const picture: Content = { $type: 'uri', uri: 'https://a.test/x', mediaType: 'image/png' };

    expect(linesFrom(message('user', [picture], 'Ada'))).toEqual([
      { role: 'user', parts: [{ text: '[Ada]' }, { image: 'https://a.test/x' }] },
    ]);
  });
});

describe('each call is followed by its result', () => {
  const callsIn = (...messages: Parameters<typeof requestOf>[0]) =>
    linesFrom(...messages).flatMap((line) => (line.role === 'assistant' ? line.calls : []));

  test.each([
    ['a text, as it is', result('c1', 'sunny'), 'sunny'],
    ['anything else, as JSON', result('c1', { sky: 'blue', wind: 3 }), '{"sky":"blue","wind":3}'],
    ['a number', result('c1', 7), '7'],
    ['nothing', result('c1', null), 'null'],
    ['not even nothing', result('c1'), 'null'],
  ])('%s', (_, content, text) => {
    const [made] = callsIn(message('assistant', [call('c1', { city: 'Oslo' })], 'writer'), message('tool', [content], 'writer'));

    expect(made).toEqual({ id: 'c1', name: 'look', arguments: '{"city":"Oslo"}', result: text });
  });

  test('a call without a result gets a note', () => {
    expect(callsIn(message('assistant', [call('c1'), call('c2')], 'writer'), message('tool', [result('c2', 'b')]))).toMatchObject([
      { result: noResult },
      { result: 'b' },
    ]);
  });

  test('a result without a call is dropped, also a second one of the same call and one that comes too early', () => {
    const early = message('tool', [result('c1', 'too early')]);
    const lines = linesFrom(
      early,
      message('assistant', [call('c1')], 'writer'),
      message('tool', [result('c1', 'first'), result('c9', 'whose?')]),
      message('tool', [result('c1', 'second')]),
    );

    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatchObject({ calls: [{ id: 'c1', result: 'first' }] });
  });

  test('a result comes before what was said meanwhile', () => {
    const lines = linesFrom(
      message('assistant', [call('c1')], 'writer'),
      message('user', 'hurry'),
      message('tool', [result('c1', 'done')]),
    );

    expect(lines.map(({ role }) => role)).toEqual(['assistant', 'user']);
    expect(lines[0]).toMatchObject({ calls: [{ result: 'done' }] });
  });

  test('ids that come again are told apart, each with its own result', () => {
    const calls = callsIn(
      message('assistant', [call('c'), call('c')], 'writer'),
      message('tool', [result('c', '1'), result('c', '2')]),
      message('assistant', [call('c')], 'writer'),
      message('tool', [result('c', '3')]),
    );

    expect(calls.map(({ id, result: text }) => [id, text])).toEqual([
      ['c', '1'],
      ['c_2', '2'],
      ['c_3', '3'],
    ]);
  });

  test('arguments that are no object are shown as the model wrote them', () => {
    const said = { message: message('assistant', [call('c1'), call('c2')], 'writer'), rawArguments: { c1: '{"city": "Os' } };

    const [, line] = linesOf({ ...requestOf([]), messages: [said] });

    expect(line).toMatchObject({ calls: [{ arguments: '{"city": "Os' }, { arguments: '{}' }] });
  });

  test('the calls of others are not heard, nor their results', () => {
    expect(
      linesFrom(
        message('assistant', [call('c1'), { $type: 'text', text: 'looking' }], 'editor'),
        message('tool', [result('c1', 'x')], 'editor'),
      ),
    ).toEqual([{ role: 'user', parts: [{ text: '[editor]\nlooking' }] }]);
  });
});

test('freeId takes what is wanted, or the next number', () => {
  const taken = new Set(['a', 'a_2']);

  expect([freeId('b', taken), freeId('a', taken), freeId('a', taken), freeId('b', taken)]).toEqual(['b', 'a_3', 'a_4', 'b_2']);
});
