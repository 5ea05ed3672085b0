import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker, type ReplayWorkerOptions } from '@temporalio/worker';
import { beforeAll, describe, expect, test } from 'vitest';
import { patternNames } from '../../src/contract/pattern.js';
import { bundleWorkflows } from '../../src/worker.js';

interface History {
  events: { eventType: string; [attributes: string]: unknown }[];
}

const folder = new URL('histories/', import.meta.url);
const recorded = readdirSync(folder).sort();
const read = (file: string) => JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as History;
/** Where in a chain something happened differs from recording to recording. */
const fileWith = (pattern: string, text: string) =>
  recorded.find((file) => file.startsWith(pattern) && JSON.stringify(read(file)).includes(text)) ?? `no ${pattern} with ${text}`;
const typesIn = ({ events }: History) => events.map(({ eventType }) => eventType.replace('EVENT_TYPE_', ''));

/** The workflow's id decides what a replay tells its handlers; the history itself does not hold it. */
const idOf = (file: string) =>
  ({ sequential: 'sequential/drinks', session: 'session/guide/anna', handoff: 'nested/1/1-help' })[file.split('.')[0] ?? ''] ??
  `${file.split('.')[0]}/1`;
const replay = (workflowBundle: ReplayWorkerOptions['workflowBundle'], file: string, history: History = read(file)) =>
  Worker.runReplayHistory({ workflowBundle }, history, idOf(file));

describe('the recorded histories', () => {
  test('hold a run of every pattern, in several executions', () => {
    expect([...new Set(recorded.map((file) => file.split('.')[0]))]).toEqual([...patternNames].sort());
    for (const pattern of patternNames) expect(recorded).toContain(`${pattern}.2.json`);
  });

  test('hold what runs do: tool calls, a retry, continuing as new, updates, signals, a failing turn, the end', () => {
    const all = recorded.map(read);
    const activities = JSON.stringify(all)
      .match(/"activityType":\{"name":"\w+"/g)
      ?.map((match) => /(\w+)"$/.exec(match)?.[1]);
    expect([...new Set(activities)].sort()).toEqual(['askModel', 'callFunction', 'callModel', 'callTool', 'loadTeam']);
    expect(JSON.stringify(all)).toContain('"attempt":2');
    expect(all.flatMap(typesIn)).toEqual(
      expect.arrayContaining([
        'WORKFLOW_EXECUTION_CONTINUED_AS_NEW',
        'WORKFLOW_EXECUTION_UPDATE_COMPLETED',
        'WORKFLOW_EXECUTION_SIGNALED',
        'ACTIVITY_TASK_FAILED',
        'MARKER_RECORDED',
        'WORKFLOW_EXECUTION_COMPLETED',
      ]),
    );
  });
});

describe('the workflows of today', () => {
  let today: { code: string };
  beforeAll(async () => {
    today = await bundleWorkflows();
  });

  test.each(recorded)('replay %s', async (file) => {
    await expect(replay(today, file)).resolves.toBeUndefined();
  });

  test.each([
    ['a tool call of another name', 'sequential', '"callTool"', '"useTool"'],
    ['a model call of another name', 'session', '"callModel"', '"askModel"'],
    ['another pattern', 'sequential.2', '"name":"sequential"', '"name":"session"'],
  ])('do not replay a history with %s', async (_, pattern, was, is) => {
    const file = fileWith(pattern, was);
    const text = JSON.stringify(read(file));

    await expect(replay(today, file, JSON.parse(text.replaceAll(was, is)) as History)).rejects.toThrow(DeterminismViolationError);
  });
});

describe('a release that breaks running workflows is found out:', () => {
  let changed: { code: string };
  beforeAll(async () => {
    changed = await bundleWorkflows(fileURLToPath(new URL('../fixtures/changed-workflows.ts', import.meta.url)));
  });

  test.each([
    ['one more activity', 'sequential.1.json'],
    ['one more activity after continuing as new', 'sequential.2.json'],
    ['a failure that ends a session', fileWith('session', 'ACTIVITY_TASK_FAILED')],
  ])('%s', async (_, file) => {
    await expect(replay(changed, file)).rejects.toThrow(DeterminismViolationError);
  });
});
