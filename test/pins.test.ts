/**
 * Names that others hold on to: running workflows, the Temporal CLI, other languages, code that imports the package.
 * An addition is a line here, on purpose, with a line in CHANGELOG.md. A removal or a change breaks somebody.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { failures } from '../src/contract/failure.js';
import { defaultTaskQueue, messages, queries, searchAttributes } from '../src/contract/names.js';
import { patternNames } from '../src/contract/pattern.js';
import { stopCodes } from '../src/contract/run.js';
import { exportsOf, membersOf } from './support/source.js';

// The compiler reads all types once, which takes a while.
beforeAll(() => void exportsOf('src/index.ts'));

describe('names on the wire', () => {
  test('workflow types', () => {
    expect(sorted(patternNames)).toEqual(['sequential', 'session']);
  });

  test('the task queue', () => {
    expect(defaultTaskQueue).toBe('ostinato');
  });

  test('queries', () => {
    expect(sorted(Object.values(queries))).toEqual(['checkpoint', 'state', 'status', 'transcript', 'turn']);
  });

  test('updates, each a signal as well', () => {
    expect(sorted(Object.values(messages))).toEqual(['cancel', 'say']);
  });

  test('search attributes', () => {
    expect(sorted(Object.values(searchAttributes))).toEqual(['OstinatoAgents', 'OstinatoPattern', 'OstinatoStatus']);
  });

  test('activities, recorded in every history', () => {
    expect(sorted(membersOf('src/activities/index.ts', 'Activities'))).toEqual([
      'adoptConversation',
      'callModel',
      'callTool',
      'loadTeam',
      'publish',
      'sealSegment',
    ]);
  });

  test('stop codes', () => {
    expect(sorted(Object.keys(stopCodes))).toEqual(['cancelled', 'completed', 'limit.time', 'limit.tokens', 'limit.turns']);
  });

  test('failure types, and whether Temporal may try again', () => {
    expect(sorted(Object.entries(failures).map(([type, { retryable }]) => `${type}${retryable ? ' retryable' : ''}`))).toEqual([
      'Connection.Failed',
      'Input.Invalid',
      'Input.TooLarge',
      'Input.UnknownAgent',
      'Model.ContextLength',
      'Model.Empty',
      'Model.Malformed retryable',
      'Model.RateLimited retryable',
      'Model.Refused',
      'Model.Unavailable retryable',
      'Run.AlreadyExists',
      'Run.Busy',
      'Run.Closed',
      'Run.Failed',
      'Run.NotConversational',
      'Run.NotFound',
      'Run.OtherEnvironment',
      'Run.TimedOut',
      'State.Newer retryable',
      'State.Unreadable',
      'Store.Unavailable retryable',
      'Tool.Unavailable retryable',
    ]);
  });

  test('event types', () => {
    expect(sorted(membersOf('src/contract/event.ts', 'EventTypes'))).toEqual([
      'cancel.requested',
      'delta',
      'input.refused',
      'message.completed',
      'message.received',
      'run.continued',
      'run.failed',
      'run.finished',
      'run.started',
      'step.restarted',
      'tool.called',
      'tool.progressed',
      'tool.returned',
      'turn.completed',
      'turn.failed',
      'turn.started',
    ]);
  });
});

describe('members of public documents', () => {
  test.each([
    ['run.ts', 'RunInput', ['agents', 'conversation', 'limits', 'options', 'orchestration', 'state', 'task']],
    ['run.ts', 'Limits', ['time', 'tokens', 'turns']],
    ['run.ts', 'RunResult', ['output', 'outputArtifact', 'rounds', 'status', 'stopReason', 'usage']],
    ['run.ts', 'SayInput', ['id', 'message']],
    ['run.ts', 'CancelInput', ['mode', 'reason']],
    ['run.ts', 'TurnStatus', ['failure', 'position', 'reply', 'replyArtifact', 'status', 'turnId']],
    [
      'run.ts',
      'RunStatus',
      [
        'agents',
        'cancel',
        'failure',
        'firstRunId',
        'inbox',
        'orchestration',
        'pattern',
        'result',
        'rounds',
        'runId',
        'startedAt',
        'status',
        'transcriptLength',
        'turns',
        'usage',
      ],
    ],
    [
      'run.ts',
      'Checkpoint',
      [
        'completedStepCount',
        'completedSteps',
        'continuations',
        'conversationId',
        'currentStep',
        'orchestration',
        'pendingEvents',
        'retryCount',
        'stateVersion',
        'stepOutputs',
        'team',
        'transcript',
        'usage',
      ],
    ],
    [
      'agent.ts',
      'AgentDefinition',
      ['description', 'instructions', 'maxOutputTokens', 'maxToolRounds', 'model', 'name', 'outputSchema', 'temperature', 'tools'],
    ],
    ['message.ts', 'Message', ['authorName', 'contents', 'createdAt', 'role']],
    ['transcript.ts', 'TranscriptPage', ['entries', 'from', 'length', 'next', 'segments']],
    ['transcript.ts', 'Usage', ['inputTokens', 'modelCalls', 'outputTokens', 'totalTokens']],
    ['event.ts', 'RunEvent', ['agent', 'at', 'attempt', 'epoch', 'runId', 'seq', 'step', 'turn', 'type']],
  ])('%s: %s', (file, type, members) => {
    expect(sorted(membersOf(`src/contract/${file}`, type))).toEqual(members);
  });
});

/** What each entry of the package exports, as package.json names the entries. */
const entries: Record<string, { source: string; exports: string[] }> = {
  '.': {
    source: 'src/index.ts',
    exports: [
      'defaultTaskQueue',
      'defineAgent',
      'defineOrchestration',
      'defineTool',
      'failureOf',
      'failures',
      'patternNames',
      'patterns',
      'textOf',
      'type Agent',
      'type AgentDefinition',
      'type AgentOptions',
      'type Application',
      'type CancelInput',
      'type Checkpoint',
      'type Content',
      'type Entry',
      'type EventType',
      'type EventTypes',
      'type FailureType',
      'type Json',
      'type JsonObject',
      'type Limits',
      'type Message',
      'type MessageInput',
      'type Orchestration',
      'type OrchestrationOptions',
      'type PatternName',
      'type PatternOptions',
      'type RunEvent',
      'type RunInput',
      'type RunResult',
      'type RunStatus',
      'type SayInput',
      'type Segment',
      'type Span',
      'type StopCode',
      'type StopReason',
      'type Tool',
      'type ToolContext',
      'type ToolOptions',
      'type TranscriptPage',
      'type TurnStatus',
      'type Usage',
    ],
  },
  './client': {
    source: 'src/client.ts',
    exports: [
      'OstinatoClient',
      'connect',
      'loadConfig',
      'type Config',
      'type ConfigOverrides',
      'type ConnectOptions',
      'type RunHandle',
      'type RunSummary',
      'type SessionHandle',
      'type StartOptions',
      'type WatchOptions',
    ],
  },
  './worker': {
    source: 'src/worker.ts',
    exports: [
      'bundleWorkflows',
      'loadConfig',
      'startWorker',
      'type Application',
      'type Config',
      'type ConfigOverrides',
      'type RunningWorker',
      'type WorkerOptions',
    ],
  },
  './workflows': {
    source: 'src/workflows/index.ts',
    exports: ['sequential', 'session'],
  },
  './run': {
    source: 'src/workflows/run/index.ts',
    exports: ['definePattern', 'type PatternDefinition', 'type Plot', 'type Run', 'type RunInput', 'type RunResult', 'type TurnOptions'],
  },
  './testing': {
    source: 'src/testing/index.ts',
    exports: [
      'openWorld',
      'scriptedModel',
      'type Script',
      'type ScriptLine',
      'type ScriptPart',
      'type ScriptedCall',
      'type ScriptedModel',
      'type ScriptedModelOptions',
      'type ScriptedReply',
      'type World',
      'type WorldOptions',
    ],
  },
};

describe('exports of the package', () => {
  test.each(Object.entries(entries))('%s', (_, { source, exports }) => {
    expect(exportsOf(source)).toEqual(exports);
  });

  test('every entry is pinned here, and is built from the file that is pinned', () => {
    const { exports } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
      exports: Record<string, string | { types: string; default: string }>;
    };
    const built = Object.fromEntries(
      Object.entries(entries).map(([entry, { source }]) => {
        const path = source.replace(/^src/, './dist').replace(/\.ts$/, '');
        return [entry, { types: `${path}.d.ts`, default: `${path}.js` }];
      }),
    );

    expect(exports).toEqual({ ...built, './package.json': './package.json' });
  });
});

function sorted(names: readonly string[]): string[] {
  return [...names].sort();
}
