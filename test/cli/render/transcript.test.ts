import { expect, test } from 'vitest';
import { transcriptText } from '../../../src/cli/render/transcript.js';
import type { Entry } from '../../../src/contract/transcript.js';
import { recordedTerminal } from '../support.js';

test('a transcript names who spoke, when, and what tools did', () => {
  const entries: Entry[] = [
    { message: { role: 'user', createdAt: '2026-01-01T00:00:00Z', contents: [{ $type: 'text', text: 'Weather in Oslo?' }] } },
    {
      turn: 1,
      message: {
        role: 'assistant',
        authorName: 'guide',
        contents: [{ $type: 'functionCall', callId: 'c', name: 'weather', arguments: { city: 'Oslo' } }],
      },
    },
    { turn: 1, message: { role: 'tool', contents: [{ $type: 'functionResult', callId: 'c', result: 'sunny' }] } },
    { turn: 1, cut: true, message: { role: 'assistant', authorName: 'guide', contents: [{ $type: 'text', text: 'Sunny.\u001b[2J\n' }] } },
  ];

  expect(transcriptText(entries, recordedTerminal().terminal.style)).toBe(
    [
      'user  2026-01-01T00:00:00Z\nWeather in Oslo?',
      'guide  turn 1\n→ weather {"city":"Oslo"}',
      'tool  turn 1\n← sunny',
      'guide  turn 1\nSunny.[2J\n… This is its beginning; --json names where the store has the whole.',
    ].join('\n\n'),
  );
});
