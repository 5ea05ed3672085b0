import { expect, test } from 'vitest';
import { statusText } from '../../../src/cli/render/status.js';
import type { RunStatus } from '../../../src/contract/run.js';
import { recordedTerminal } from '../support.js';

const status: RunStatus = {
  runId: 'article/1',
  firstRunId: 'f',
  pattern: 'sequential',
  orchestration: 'article',
  status: 'running',
  turns: [{ id: 'turn-2', agent: 'writer', ordinal: 2, modelCalls: 1 }],
  agents: ['analyst', 'writer'],
  rounds: 1,
  usage: { inputTokens: 10, outputTokens: 2, totalTokens: 12, modelCalls: 2 },
  inbox: 2,
  requests: [],
  operations: [],
  transcriptLength: 1,
  startedAt: new Date(Date.now() - 60_000).toISOString(),
};

function textOf(shown: RunStatus): string {
  return statusText(shown, recordedTerminal().terminal.style, 'http://127.0.0.1:8233/x');
}

test('a run in flight says who speaks, what it cost so far and what waits', () => {
  const text = textOf(status);

  expect(text).toContain('what        article (sequential)\n');
  expect(text).toContain('now         writer, turn 2, 1 model call\n');
  expect(text).toContain('so far      1 turn, 12 tokens (10 in, 2 out)\n');
  expect(text).toContain('inbox       2 messages\n');
  expect(text).toContain('transcript  1 entry\n');
  expect(text).toContain('(1 min ago)\npage        http://127.0.0.1:8233/x');
});

test('a run that failed says why', () => {
  const text = textOf({ ...status, status: 'failed', turns: [], inbox: 0, failure: { type: 'Model.Refused', message: 'No such model.' } });

  expect(text).toContain('failure     No such model. (Model.Refused)\n');
  expect(text).not.toContain('now ');
  expect(text).not.toContain('inbox');
});

test('what a run was asked to do with its own state is told with what came of it, the latest last', () => {
  const text = textOf({
    ...status,
    operations: [
      { id: '1', kind: 'save', status: 'done', snapshotId: 'aa' },
      { id: '2', kind: 'fork', status: 'done', snapshotId: 'bb', runId: 'article/1~2' },
      { id: '3', kind: 'rollback', status: 'failed', failure: { type: 'State.NotFound', message: 'There is none.' } },
      { id: '4', kind: 'save', status: 'pending' },
    ],
    snapshotId: 'bb',
  });

  expect(text).toContain(
    'asked to    save: done, as aa\n            fork: done, as article/1~2 from bb\n' +
      '            rollback: failed, There is none. (State.NotFound)\n            save: pending\nsnapshot    bb\n',
  );
});

test('a run that goes on from a snapshot says from which, and in what it differs', () => {
  const origin = { snapshotId: 'aa', workflowId: 'article/0', conversationId: 'c', turn: 2 };

  expect(textOf({ ...status, origin })).toContain('origin      snapshot aa of article/0, after turn 2\n');
  expect(textOf({ ...status, origin: { ...origin, overridden: ['agents: a, not b'] } })).toContain(
    'of article/0, after turn 2, but for: agents: a, not b\n',
  );
});
