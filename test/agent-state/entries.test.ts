import { expect, test } from 'vitest';
import { messagesOfState } from '../../src/agent-state/entries.js';
import { parseAgentState } from '../../src/index.js';
import { documentOf, fixture, responseOf } from './fixtures.js';

test('messages come in order, with their entries', () => {
  const messages = messagesOfState(parseAgentState(fixture('every-kind.json')));

  expect(messages.map(({ in: where, correlationId, createdAt, message }) => [where, correlationId, createdAt, message.role])).toEqual([
    ['request', 'turn-1', '2026-01-31T09:00:00.12+00:00', 'user'],
    ['response', 'turn-1', '2026-01-31T09:00:04+00:00', 'assistant'],
    ['response', 'turn-1', '2026-01-31T09:00:04+00:00', 'tool'],
    ['response', 'turn-1', '2026-01-31T09:00:04+00:00', 'assistant'],
  ]);
  expect(messages[1]?.message).toEqual({
    role: 'assistant',
    authorName: 'reader',
    contents: [
      { $type: 'reasoning', text: 'A picture and a document.' },
      { $type: 'functionCall', callId: 'c1', name: 'open', arguments: { page: 2, zoom: 1.5 } },
    ],
  });
});

test('what is not known is left out, or unknown; other members stay', () => {
  const messages = messagesOfState(parseAgentState(fixture('later-release.json')));

  expect(messages).toEqual([
    {
      in: 'request',
      correlationId: 'r1',
      createdAt: '2026-06-01T10:00:00+00:00',
      message: {
        role: 'developer',
        messageId: 'm1',
        extensionData: { a: null },
        contents: [
          {
            $type: 'unknown',
            content: { $type: 'hologram', depth: Number.MAX_VALUE, text: null, nested: { $type: 'x' } },
          },
          { $type: 'text', text: 'Hi', annotations: [{ at: 1, url: null }] },
        ],
      },
    },
  ]);
});

test('numbers are rounded here, and only here', () => {
  const text = JSON.stringify(documentOf(responseOf({ $type: 'functionResult', callId: 'c', result: 'N' }))).replace(
    '"N"',
    '[9007199254740993,1.0]',
  );

  expect(messagesOfState(parseAgentState(text))[0]?.message.contents).toEqual([
    { $type: 'functionResult', callId: 'c', result: [9007199254740992, 1] },
  ]);
});
