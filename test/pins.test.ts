/**
 * Names that others hold on to: running workflows, the Temporal CLI, other languages, code that imports the package.
 * An addition is a line here, on purpose, with a line in CHANGELOG.md. A removal or a change breaks somebody.
 */
import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { failures } from '../src/contract/failure.js';
import { commands, defaultTaskQueue, messages, queries, searchAttributes } from '../src/contract/names.js';
import { janitorType, rouseSignal } from '../src/contract/deletion.js';
import { patternNames } from '../src/contract/pattern.js';
import { stopCodes } from '../src/contract/run.js';
import { exportsOf, membersOf } from './support/source.js';

// The compiler reads all types once, which takes a while.
beforeAll(() => void exportsOf('src/index.ts'));

describe('names on the wire', () => {
  test('workflow types', () => {
    expect(sorted([...patternNames, janitorType])).toEqual([
      'concurrent',
      'groupChat',
      'handoff',
      'janitor',
      'magentic',
      'routing',
      'sequential',
      'session',
    ]);
  });

  test('the task queue', () => {
    expect(defaultTaskQueue).toBe('ostinato');
  });

  test('queries', () => {
    expect(sorted(Object.values(queries))).toEqual([
      'audit',
      'checkpoint',
      'requests',
      'snapshot',
      'state',
      'status',
      'transcript',
      'turn',
    ]);
  });

  test('updates, each a signal as well', () => {
    expect(sorted(Object.values(messages))).toEqual(['cancel', 'respond', 'say', 'stop']);
  });

  test('updates that are no signals', () => {
    expect(sorted(Object.values(commands))).toEqual(['fork', 'rollback', 'save']);
  });

  test('the signal of the janitor', () => {
    expect(rouseSignal).toBe('rouse');
  });

  test('search attributes', () => {
    expect(sorted(Object.values(searchAttributes))).toEqual(['OstinatoAgents', 'OstinatoPattern', 'OstinatoStatus', 'OstinatoWaitingFor']);
  });

  test('activities, recorded in every history', () => {
    expect(sorted(membersOf('src/activities/index.ts', 'Activities'))).toEqual([
      'adoptConversation',
      'adoptStates',
      'askModel',
      'callFunction',
      'callModel',
      'callTool',
      'compact',
      'endSleep',
      'findMessage',
      'loadSnapshot',
      'loadTeam',
      'lookUpRun',
      'notify',
      'publish',
      'saveMembers',
      'saveSnapshot',
      'scheduleDeletion',
      'sealSegment',
      'storeOutput',
      'storeTranscript',
      'tidyUp',
      'writeAudit',
    ]);
  });

  test('stop codes', () => {
    expect(sorted(Object.keys(stopCodes))).toEqual([
      'asleep',
      'cancelled',
      'completed',
      'condition',
      'expired',
      'limit.resets',
      'limit.returns',
      'limit.rounds',
      'limit.time',
      'limit.tokens',
      'limit.turns',
      'person.silent',
      'plan.rejected',
    ]);
  });

  test('failure types, and whether Temporal may try again', () => {
    expect(sorted(Object.entries(failures).map(([type, { retryable }]) => `${type}${retryable ? ' retryable' : ''}`))).toEqual([
      'Connection.Failed',
      'Encryption.KeyMissing retryable',
      'Function.Failed',
      'Input.Invalid',
      'Input.TooLarge',
      'Input.UnknownAgent',
      'Manager.Failed',
      'Model.ContextLength',
      'Model.Empty',
      'Model.Malformed retryable',
      'Model.RateLimited retryable',
      'Model.Refused',
      'Model.Unavailable retryable',
      'Nested.Failed',
      'Output.Invalid',
      'Request.Expired',
      'Request.NotAssigned',
      'Request.NotPending',
      'Request.Pending',
      'Route.Unmatched',
      'Run.AlreadyExists',
      'Run.Busy',
      'Run.Closed',
      'Run.Failed',
      'Run.NoQuorum',
      'Run.NotConversational',
      'Run.NotFound',
      'Run.Open retryable',
      'Run.OtherEnvironment',
      'Run.RolledBack',
      'Run.TimedOut',
      'State.Mismatch',
      'State.Newer retryable',
      'State.NotFound',
      'State.Unreadable',
      'Store.Unavailable retryable',
      'Tool.Unavailable retryable',
      'Turn.Abandoned',
      'Turn.Rejected',
      'Turn.TimedOut',
    ]);
  });

  test('event types', () => {
    expect(sorted(membersOf('src/contract/event.ts', 'EventTypes'))).toEqual([
      'cancel.requested',
      'command.failed',
      'compaction.failed',
      'condition.met',
      'conversation.compacted',
      'decision.refused',
      'delta',
      'handoff.made',
      'input.refused',
      'message.completed',
      'message.received',
      'nested.ended',
      'nested.started',
      'notice.failed',
      'notice.sent',
      'plan.made',
      'progress.judged',
      'request.answered',
      'request.escalated',
      'request.expired',
      'request.opened',
      'request.reminded',
      'request.withdrawn',
      'route.taken',
      'run.continued',
      'run.expired',
      'run.failed',
      'run.finished',
      'run.forked',
      'run.loaded',
      'run.rolledBack',
      'run.slept',
      'run.started',
      'run.woken',
      'snapshot.saved',
      'speaker.chosen',
      'step.restarted',
      'tool.called',
      'tool.progressed',
      'tool.returned',
      'turn.completed',
      'turn.failed',
      'turn.started',
      'votes.counted',
      'wake.failed',
    ]);
  });
});

describe('members of public documents', () => {
  test.each([
    [
      'run.ts',
      'RunInput',
      [
        'agents',
        'conversation',
        'input',
        'limits',
        'nested',
        'options',
        'orchestration',
        'output',
        'override',
        'sleepAfter',
        'snapshot',
        'snapshots',
        'state',
        'states',
        'task',
        'termination',
      ],
    ],
    ['run.ts', 'Limits', ['time', 'tokens', 'turns']],
    ['run.ts', 'RunResult', ['incomplete', 'output', 'outputArtifact', 'rounds', 'status', 'stopReason', 'usage']],
    ['run.ts', 'SayInput', ['id', 'message']],
    ['run.ts', 'RespondInput', ['by', 'requestId', 'response']],
    [
      'request.ts',
      'RequestView',
      [
        'agent',
        'answeredAt',
        'assignee',
        'by',
        'call',
        'createdAt',
        'escalatedFrom',
        'expiresAt',
        'kind',
        'prompt',
        'remindAt',
        'reminders',
        'requestId',
        'response',
        'role',
        'schema',
        'status',
      ],
    ],
    ['request.ts', 'CallView', ['arguments', 'callId', 'tool']],
    ['patience.ts', 'Patience', ['assignee', 'onTimeout', 'remind', 'role', 'timeout']],
    ['run.ts', 'StopInput', ['reason']],
    ['snapshot.ts', 'SaveInput', ['agents', 'label']],
    ['snapshot.ts', 'RollbackInput', ['snapshotId', 'turn']],
    ['snapshot.ts', 'ForkInput', ['as', 'snapshotId']],
    ['snapshot.ts', 'SnapshotPolicy', ['every', 'keep']],
    ['snapshot.ts', 'CommandStatus', ['failure', 'id', 'kind', 'runId', 'snapshotId', 'status']],
    [
      'snapshot.ts',
      'Snapshot',
      ['agents', 'at', 'checkpoint', 'definition', 'label', 'members', 'outcome', 'reason', 'run', 'schemaVersion', 'state', 'type'],
    ],
    ['snapshot.ts', 'RunExport', ['agents', 'at', 'blobs', 'definition', 'run', 'schemaVersion', 'snapshotId', 'type']],
    ['run.ts', 'InputShape', ['schema', 'transform']],
    ['run.ts', 'OutputShape', ['agent', 'from', 'schema', 'transform']],
    ['run.ts', 'CancelInput', ['mode', 'reason']],
    ['run.ts', 'TurnStatus', ['failure', 'position', 'reply', 'replyArtifact', 'status', 'turnId']],
    [
      'run.ts',
      'RunStatus',
      [
        'agents',
        'asleep',
        'cancel',
        'failure',
        'firstRunId',
        'inbox',
        'operations',
        'orchestration',
        'origin',
        'pattern',
        'requests',
        'result',
        'rounds',
        'runId',
        'snapshotId',
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
        'snapshotId',
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
      [
        'compaction',
        'description',
        'expireAfter',
        'handoffs',
        'instructions',
        'maxOutputTokens',
        'maxToolRounds',
        'model',
        'name',
        'outputSchema',
        'review',
        'temperature',
        'tools',
      ],
    ],
    ['message.ts', 'Message', ['artifact', 'authorName', 'contents', 'createdAt', 'role']],
    ['transcript.ts', 'TranscriptPage', ['entries', 'from', 'imports', 'inherited', 'length', 'next', 'segments']],
    ['transcript.ts', 'Usage', ['inputTokens', 'modelCalls', 'outputTokens', 'totalTokens']],
    ['event.ts', 'RunEvent', ['agent', 'at', 'attempt', 'epoch', 'nested', 'runId', 'seq', 'step', 'turn', 'type']],
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
      'defineFunction',
      'defineOrchestration',
      'defineTool',
      'failureOf',
      'failures',
      'isTurn',
      'parseAgentState',
      'patternNames',
      'patterns',
      'serializeAgentState',
      'textOf',
      'type Agent',
      'type AgentDefinition',
      'type AgentOptions',
      'type AgentStateDocument',
      'type Application',
      'type ApprovalOptions',
      'type AuditEntry',
      'type AuditMark',
      'type CallView',
      'type CancelInput',
      'type Checkpoint',
      'type CommandStatus',
      'type Compaction',
      'type Condition',
      'type Content',
      'type Entry',
      'type EventType',
      'type EventTypes',
      'type ExactJson',
      'type ExactNumber',
      'type FailureType',
      'type Fired',
      'type ForkInput',
      'type FunctionContext',
      'type FunctionOptions',
      'type FunctionPolicy',
      'type HistoryEntry',
      'type InputShape',
      'type Json',
      'type JsonObject',
      'type Limits',
      'type Member',
      'type Message',
      'type MessageInput',
      'type Notice',
      'type NoticeType',
      'type NotifyContext',
      'type NotifyFunction',
      'type Orchestration',
      'type OrchestrationMember',
      'type OrchestrationOptions',
      'type OtherKind',
      'type OutputShape',
      'type Patience',
      'type PatternName',
      'type PatternOptions',
      'type QuestionOptions',
      'type RegisteredFunction',
      'type RequestKind',
      'type RequestView',
      'type RespondInput',
      'type ReviewOptions',
      'type RollbackInput',
      'type RunEvent',
      'type RunExport',
      'type RunFrame',
      'type RunInput',
      'type RunResult',
      'type RunStatus',
      'type SaveInput',
      'type SayInput',
      'type Segment',
      'type Snapshot',
      'type SnapshotDefinition',
      'type SnapshotOrigin',
      'type SnapshotPolicy',
      'type SnapshotReason',
      'type SnapshotRecord',
      'type Span',
      'type StateContent',
      'type StateMessage',
      'type StateRequest',
      'type StateResponse',
      'type StateUsage',
      'type StopCode',
      'type StopInput',
      'type StopReason',
      'type SummaryPolicy',
      'type Tool',
      'type ToolContext',
      'type ToolOptions',
      'type ToolReference',
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
      'type AskedRequest',
      'type CollectOptions',
      'type Collected',
      'type CompleteMessage',
      'type Config',
      'type ConfigOverrides',
      'type ConnectOptions',
      'type DeleteOptions',
      'type DeletionProof',
      'type DeletionReport',
      'type Interaction',
      'type JanitorStatus',
      'type ListRequests',
      'type LoadOptions',
      'type RunExport',
      'type RunHandle',
      'type RunOutcome',
      'type RunSummary',
      'type SessionHandle',
      'type SnapshotDiff',
      'type SnapshotRecord',
      'type StartOptions',
      'type TypedInput',
      'type WaitingRun',
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
    exports: ['concurrent', 'groupChat', 'handoff', 'janitor', 'magentic', 'routing', 'sequential', 'session'],
  },
  './run': {
    source: 'src/workflows/run/index.ts',
    exports: [
      'definePattern',
      'type Answer',
      'type AskOptions',
      'type MemberResult',
      'type PatternDefinition',
      'type Plot',
      'type Question',
      'type Results',
      'type Run',
      'type RunInput',
      'type RunResult',
      'type TogetherOptions',
      'type TurnOptions',
      'type TurnOutcome',
    ],
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

    expect(exports).toEqual({ ...built, './package.json': './package.json', './schemas/*': './schemas/*' });
  });
});

function sorted(names: readonly string[]): string[] {
  return [...names].sort();
}
