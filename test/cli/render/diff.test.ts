import { expect, test } from 'vitest';
import { diffText } from '../../../src/cli/render/diff.js';
import { recordedTerminal } from '../support.js';

const ids = { before: 'aa', after: 'bb' };
const { style } = recordedTerminal().terminal;

test('what was said since they parted comes first, then everything else by its path, long values shortened', () => {
  const text = diffText(
    {
      transcript: {
        common: 1,
        before: [{ position: 1, author: 'writer', text: 'By train,\nof course.' }],
        after: [
          { position: 1, author: 'writer', text: '' },
          { position: 2, author: 'user', text: 'No,\u001b[2J by boat.' },
        ],
      },
      changes: [
        { path: 'rounds', before: 1, after: 2 },
        { path: 'definition.agents', before: ['a'.repeat(200)] },
        { path: 'cancel', after: { mode: 'graceful' } },
      ],
    },
    ids,
    style,
  );

  expect(text.split('\n')).toEqual([
    '- aa',
    '+ bb',
    '',
    'Said  1 entry in common',
    '- 2 writer: By train, of course.',
    '+ 2 writer: (no words)',
    '+ 3 user: No,[2J by boat.',
    '',
    'Everything else',
    '  rounds: 1 → 2',
    `  definition.agents: ["${'a'.repeat(77)}… → (nothing)`,
    '  cancel: (nothing) → {"mode":"graceful"}',
  ]);
});

test('what does not differ is said to be the same', () => {
  expect(diffText({ transcript: { common: 2, before: [], after: [] }, changes: [] }, ids, style)).toBe(
    '- aa\n+ bb\n\nSaid  2 entries in common\n  and nothing else\n\nEverything else\n  is the same',
  );
});
