/** What a run remembers across continue-as-new: versioned, private to workflows. `read-state.ts` is the only way in. */
import type { Team } from '../contract/agent.js';
import type { EventLogKey, NewEvent } from '../contract/event.js';
import type { Json, JsonObject } from '../contract/json.js';
import type { Message } from '../contract/message.js';
import type { RequestView } from '../contract/request.js';
import type { CancelMode, RunResult, StopReason } from '../contract/run.js';
import type { CallToolOutput, CallModelOutput, PreparedOutput, RunSettings } from '../contract/step.js';
import type { Entry, Inherited, Segment, TranscriptHead, Usage } from '../contract/transcript.js';
import type { Shape } from './shape.js';
import { terminationShape, type TerminationState } from './termination.js';

export const currentStateVersion = 2;

export interface RunState {
  stateVersion: typeof currentStateVersion;
  /** The same for the whole life of the conversation. */
  conversationId: string;
  pattern: string;
  orchestration?: string;
  /** RFC 3339. */
  startedAt: string;
  team: Team;
  settings: RunSettings;
  limits: { turns?: number; tokens?: number; timeMs?: number };
  options: JsonObject;
  transcript: TranscriptState;
  /** The pattern's own. */
  progress: JsonObject;
  /** Turns in flight. */
  turns: OpenTurn[];
  /** The last ordinal given to a turn. */
  lastTurn: number;
  /** Turns begun in this run. */
  rounds: number;
  usage: Usage;
  /** Messages accepted and not yet taken up. */
  inbox: InboxMessage[];
  /** What became of the last thousand messages, oldest first. */
  said: SaidMessage[];
  /** Something was said to the team that no turn has taken up; its turn will have this id. */
  unanswered?: { id?: string };
  /** The answer so far. */
  output?: { text: string; artifact?: string };
  /** What the output has to be. */
  shape?: PreparedOutput;
  cancel?: { mode: CancelMode; reason?: string };
  stop?: { status: RunResult['status'] } & StopReason;
  termination?: TerminationState;
  /** How far custom conditions have looked. */
  judged: number;
  /** What people were asked: all that waits, and the last hundred that do not. */
  requests: RequestState[];
  /** Runs that this one has started, until their results are taken up. */
  operations: Operation[];
  /** Signals to other runs that wait to be sent. */
  post: Letter[];
  /** Whose member this run is. */
  nested?: NestedOrigin;
  /** Events that no activity has taken to the log yet. */
  outbox: NewEvent[];
  /** Events emitted so far: the next one's key. */
  eventCount: number;
  steps: StepRecord;
  /** Times the run has continued as new. */
  continuations: number;
}

export interface TranscriptState {
  segments: Segment[];
  /** What comes after the last segment. */
  tail: Entry[];
  /** How much of it can be read from the store. */
  head: TranscriptHead;
}

export interface OpenTurn {
  id: string;
  ordinal: number;
  agent: string;
  /** It hears the entries before this position, and its own. */
  start: number;
  from?: number;
  at: string;
  modelCalls: number;
  /** The calls of its last reply, while they wait for their results. */
  round?: ToolRound;
  /** The run that takes this turn. */
  operation?: string;
}

/** A reply's calls, and by position what came of them so far. */
export interface ToolRound {
  reply: Pick<CallModelOutput, 'message' | 'blob' | 'cut' | 'rawArguments' | 'policies'>;
  outcomes: (CallToolOutput | null)[];
  /** By position: the runs that answer. */
  operations: { [index: number]: string };
}

/** `operation` and `nestedId`: asked in a nested run, and answered there. */
export interface RequestState extends RequestView {
  operation?: string;
  nestedId?: string;
}

/** A run that another has started. */
export interface Operation {
  id: string;
  /** Workflow id. */
  runId: string;
  member: string;
  /** It says that it has ended, but not how. */
  ended?: boolean;
  outcome?: { result: RunResult } | { failure: { type: string; message: string } };
  /** It was told that this run is about to end. */
  toldToStop?: CancelMode;
}

export interface Letter {
  /** Workflow id. */
  to: string;
  signal: string;
  payload: Json;
}

export interface NestedOrigin {
  parent: string;
  operationId: string;
  root: EventLogKey;
  inherited?: Inherited;
}

export interface InboxMessage {
  id: string;
  message: Message;
}

export interface SaidMessage {
  id: string;
  status: 'queued' | 'running' | 'completed' | 'failed';
  /** Position of the reply. */
  reply?: number;
  failure?: { type: string; message: string };
}

export interface StepRecord {
  current: string | null;
  /** The last hundred. */
  completed: string[];
  count: number;
  outputs: { [step: string]: { artifactId: string } };
  retries: number;
}

const message: Shape = { fields: { role: 'string', contents: { list: { fields: { $type: 'string' } } } } };
const entry: Shape = {
  fields: {
    message,
    turn: { optional: 'count' },
    audience: { optional: { list: 'string' } },
    opens: { optional: { fields: { id: 'string', agent: 'string', start: 'count', at: 'string' } } },
    blob: { optional: 'string' },
  },
};
const request: Shape = {
  fields: {
    requestId: 'string',
    kind: 'string',
    prompt: 'string',
    createdAt: 'string',
    status: 'string',
    schema: { optional: 'object' },
    expiresAt: { optional: 'string' },
    operation: { optional: 'string' },
    nestedId: { optional: 'string' },
  },
};
const operation: Shape = { fields: { id: 'string', runId: 'string', member: 'string', outcome: { optional: 'object' } } };
const nestedRun: Shape = { fields: { name: 'string', pattern: 'string', prepared: 'string' } };
const round: Shape = {
  fields: {
    reply: { fields: { message } },
    outcomes: { list: { nullable: { fields: { message } } } },
    operations: { map: 'string' },
  },
};
const inherited: Shape = { fields: { length: 'count', as: 'string', from: 'count', to: 'count' } };
const stepTime: Shape = { fields: { attemptMs: 'count', attempts: 'count', totalMs: 'count', heartbeatMs: 'count' } };
const failure: Shape = { fields: { type: 'string', message: 'string' } };

export const runStateShape: Shape = {
  fields: {
    conversationId: 'string',
    pattern: 'string',
    orchestration: { optional: 'string' },
    startedAt: 'string',
    team: {
      fields: {
        id: 'string',
        members: {
          list: {
            fields: {
              name: 'string',
              maxToolRounds: 'count',
              modelQueue: { optional: 'string' },
              nested: { optional: nestedRun },
              delegates: { optional: { map: nestedRun } },
              controls: { optional: { map: 'object' } },
            },
          },
        },
      },
    },
    settings: {
      fields: {
        times: { fields: { model: stepTime, tool: stepTime } },
        searchAttributes: 'boolean',
        historyEvents: { optional: 'count' },
      },
    },
    limits: { fields: { turns: { optional: 'count' }, tokens: { optional: 'count' }, timeMs: { optional: 'count' } } },
    options: 'object',
    transcript: {
      fields: {
        segments: { list: { fields: { id: 'string', from: 'count', count: 'count', bytes: 'count' } } },
        tail: { list: entry },
        head: { nullable: { fields: { part: 'string', length: 'count' } } },
      },
    },
    progress: 'object',
    turns: {
      list: {
        fields: {
          id: 'string',
          ordinal: 'count',
          agent: 'string',
          start: 'count',
          from: { optional: 'count' },
          at: 'string',
          modelCalls: 'count',
          round: { optional: round },
          operation: { optional: 'string' },
        },
      },
    },
    lastTurn: 'count',
    rounds: 'count',
    usage: { fields: { inputTokens: 'count', outputTokens: 'count', totalTokens: 'count', modelCalls: 'count' } },
    inbox: { list: { fields: { id: 'string', message } } },
    said: {
      list: { fields: { id: 'string', status: 'string', reply: { optional: 'count' }, failure: { optional: failure } } },
    },
    unanswered: { optional: { fields: { id: { optional: 'string' } } } },
    output: { optional: { fields: { text: 'string', artifact: { optional: 'string' } } } },
    cancel: { optional: { fields: { mode: 'string', reason: { optional: 'string' } } } },
    stop: { optional: { fields: { status: 'string', code: 'string', message: 'string' } } },
    shape: {
      optional: { fields: { schema: { optional: 'object' }, transform: { optional: 'string' }, agent: { optional: 'string' } } },
    },
    termination: { optional: terminationShape },
    judged: 'count',
    requests: { list: request },
    operations: { list: operation },
    post: { list: { fields: { to: 'string', signal: 'string', payload: 'any' } } },
    nested: {
      optional: {
        fields: {
          parent: 'string',
          operationId: 'string',
          root: { fields: { workflowId: 'string', firstRunId: 'string' } },
          inherited: { optional: inherited },
        },
      },
    },
    outbox: { list: { fields: { type: 'string', key: 'string', at: 'string' } } },
    eventCount: 'count',
    steps: {
      fields: {
        current: { nullable: 'string' },
        completed: { list: 'string' },
        count: 'count',
        outputs: { map: { fields: { artifactId: 'string' } } },
        retries: 'count',
      },
    },
    continuations: 'count',
  },
};
