import { expect, test } from 'vitest';
import { snapshotsText } from '../../../src/cli/render/snapshots.js';
import { recordedTerminal } from '../support.js';

test('snapshots are a table with a column for each thing to know', () => {
  const of = { workflowId: 'tea', firstRunId: 'f', at: new Date(Date.now() - 125_000).toISOString() };
  const text = snapshotsText(
    [
      { id: 'bb', ...of, reason: 'rollback', turn: 12, length: 24, key: 'r' },
      { id: 'aa', ...of, reason: 'asked', label: 'before\u001b[2J the\nreview', turn: 1, length: 2, key: 's' },
    ],
    recordedTerminal().terminal.style,
  );

  expect(text.split('\n')).toEqual([
    'SNAPSHOT  WHEN       TURN  ENTRIES  WHY                LABEL',
    'bb        2 min ago  12    24       before a rollback',
    'aa        2 min ago  1     2        asked for          before[2J the review',
  ]);
});
