import { expect, test } from 'vitest';
import { listText, moreText } from '../../../src/cli/render/list.js';
import { recordedTerminal } from '../support.js';

test('runs are a table with a column for each thing to know', () => {
  const startedAt = new Date(Date.now() - 125_000).toISOString();
  const runs = [
    {
      id: 'article/1',
      pattern: 'sequential',
      orchestration: 'article',
      agents: ['analyst', 'writer'],
      status: 'running',
      startedAt,
      historyEvents: 9,
    },
    { id: 'session/w/a', pattern: 'session', status: 'TIMED_OUT', startedAt, historyEvents: 9 },
  ];

  expect(listText(runs, recordedTerminal().terminal.style).split('\n')).toEqual([
    'RUN          STATUS     WHAT                  AGENTS           STARTED',
    'article/1    running    article (sequential)  analyst, writer  2 min ago',
    'session/w/a  timed out  session                                2 min ago',
  ]);
});

test('where there are more runs than are shown, it is said what shows them', () => {
  const command = (limit: number) => `npx ostinato list --limit ${limit}`;

  expect(moreText({ found: 21, limit: 20, command })).toBe('These are the newest 20; there are more:  npx ostinato list --limit 100');
  expect(moreText({ found: 20, limit: 20, command })).toBeUndefined();
});
