import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Content, Message } from '../../src/contract/message.js';
import { linesOf, noResult } from '../../src/llm/conversation.js';
import { blocksOf, cutFor, fitted, keptFrom } from '../../src/llm/keep.js';
import type { HeardMessage, ModelRequest } from '../../src/llm/provider.js';
import { tokensOf, tokensOfMessage } from '../../src/llm/tokens.js';
import { message, requestOf } from './support.js';

const callIds = fc.constantFrom('a', 'b', 'c');
const text = fc.string({ minLength: 1, maxLength: 60, unit: 'grapheme' }).map((words): Content => ({ $type: 'text', text: `.${words}` }));
const call = fc.tuple(callIds, fc.nat()).map(([callId, n]): Content => ({ $type: 'functionCall', callId, name: 'look', arguments: { n } }));
const result = fc.tuple(callIds, fc.nat()).map(([callId, n]): Content => ({ $type: 'functionResult', callId, result: `r${n}` }));
const anyMessage: fc.Arbitrary<Message> = fc.oneof(
  fc.tuple(fc.constantFrom('user', 'system'), text).map(([role, words]) => message(role, [words])),
  fc.array(fc.oneof(text, call), { minLength: 1, maxLength: 4 }).map((contents) => message('assistant', contents, 'writer')),
  text.map((words) => message('assistant', [words], 'editor')),
  fc.array(result, { minLength: 1, maxLength: 3 }).map((contents) => message('tool', contents, 'writer')),
);
const anyRequest = fc.tuple(fc.array(anyMessage, { minLength: 1, maxLength: 25 }), fc.nat()).map(([messages, answered]): ModelRequest => {
  const request = requestOf(messages);
  const users = messages.flatMap(({ role }, i) => (role === 'user' ? [i] : []));
  const pinned = users[answered % Math.max(users.length, 1)];
  return {
    ...request,
    messages: request.messages.map((heard, i) => (heard.message.role === 'system' || i === pinned ? { ...heard, pinned: true } : heard)),
  };
});
const anyRoom = fc.record(
  { messages: fc.integer({ min: 1, max: 30 }), tokens: fc.integer({ min: 1, max: 400 }), scale: fc.constantFrom(0.5, 1, 3) },
  { requiredKeys: [] },
);

/** Each call as the provider is told of it, with its result; calls of one message are told by their place in it. */
const callsIn = (request: ModelRequest) => linesOf(request).flatMap((line) => (line.role === 'assistant' ? line.calls : []));
const results = (messages: readonly HeardMessage[]) =>
  messages.flatMap((heard) => heard.message.contents.filter(({ $type }) => $type === 'functionResult').map(() => heard));

describe('what is kept of any conversation, for any room', () => {
  test('a call has the result that it had, or has none as before: neither is ever alone', () => {
    fc.assert(
      fc.property(anyRequest, anyRoom, (request, room) => {
        const kept = fitted(request, room);
        const answered = (whole: ModelRequest) => callsIn(whole).map(({ name, arguments: given, result: said }) => ({ name, given, said }));
        const [before, after] = [answered(request), answered(kept)];
        // The newest calls, each with the same result: a call that lost its result would differ.
        expect(after).toEqual(before.slice(before.length - after.length));
        // And the other way round: dropped calls have taken their results along.
        const unanswered = (whole: ModelRequest) =>
          results(whole.messages).length - callsIn(whole).filter(({ result: said }) => said !== noResult).length;
        expect(unanswered(kept)).toBeLessThanOrEqual(unanswered(request));
      }),
      { numRuns: 2000 },
    );
  });

  test('system messages, the message that is answered and the last one are kept, in their order', () => {
    fc.assert(
      fc.property(anyRequest, anyRoom, (request, room) => {
        const { messages } = fitted(request, room);
        const must = request.messages.filter((heard, i) => heard.pinned || i === request.messages.length - 1);
        expect(messages.filter((heard) => must.includes(heard))).toEqual(must);
        expect(request.messages.filter((heard) => messages.includes(heard))).toEqual(messages);
      }),
      { numRuns: 1000 },
    );
  });

  test('there is room for it, when there is room for what must be kept', () => {
    fc.assert(
      fc.property(anyRequest, anyRoom, (request, room) => {
        const last = blocksOf(request.messages, 'writer').at(-1)!;
        const least = keptFrom(request.messages, last.from);
        const kept = fitted(request, room);
        const { messages: most = Infinity, tokens = Infinity, scale = 1 } = room;
        const counted = (list: HeardMessage[]) => list.filter(({ message: { role }, pinned }) => !(pinned && role === 'system')).length;
        if (counted(least) <= most) expect(counted(kept.messages)).toBeLessThanOrEqual(most);
        if (scale * tokensOf({ ...request, messages: least }) <= tokens) expect(scale * tokensOf(kept)).toBeLessThanOrEqual(tokens + 0.001);
      }),
      { numRuns: 1000 },
    );
  });

  test('more room never keeps less', () => {
    fc.assert(
      fc.property(anyRequest, fc.integer({ min: 1, max: 30 }), (request, most) => {
        const cut = (messages: number) => cutFor(request, { messages });
        expect(cut(most + 1)).toBeLessThanOrEqual(cut(most));
      }),
    );
  });
});

test('what is kept begins with something that was said to the agent', () => {
  const request = requestOf([
    message('user', 'one'),
    message('assistant', 'two', 'writer'),
    message('user', 'three'),
    message('assistant', 'four', 'writer'),
    message('user', 'five'),
  ]);

  expect(fitted(request, { messages: 4 }).messages.map(({ message: said }) => said.contents)).toEqual(
    request.messages.slice(2).map(({ message: said }) => said.contents),
  );
});

test('calls that are left out are told, so that no new one gets their id', () => {
  const called: Content = { $type: 'functionCall', callId: 'call_1', name: 'look', arguments: {} };
  const request = requestOf([
    message('assistant', [called], 'writer'),
    message('tool', [{ $type: 'functionResult', callId: 'call_1', result: 'x' }]),
    message('user', 'go'),
  ]);

  expect(fitted(request, { messages: 1 })).toMatchObject({ messages: [{ message: { role: 'user' } }], earlierCalls: ['call_1'] });
});

test('tokens are estimated from bytes: another script has more of them for a letter, a picture the same whatever its size', () => {
  const of = (contents: Content[]) => tokensOfMessage({ message: message('user', contents) });

  expect(of([{ $type: 'text', text: 'x'.repeat(400) }])).toBe(104);
  expect(of([{ $type: 'text', text: '中'.repeat(400) }])).toBe(304);
  expect(of([{ $type: 'data', uri: `data:image/png;base64,${'A'.repeat(100_000)}` }])).toBe(1004);
});
