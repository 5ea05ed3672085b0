/** What a run remembers across continue-as-new: versioned, private to workflows. `read-state.ts` is the only way in. */
import type { Team } from '../contract/agent.js';
import type { NewEvent } from '../contract/event.js';
import type { JsonObject } from '../contract/json.js';
import type { Message } from '../contract/message.js';
import type { CancelMode, StopReason } from '../contract/run.js';
import type { RunSettings } from '../contract/step.js';
import type { Entry, Segment, TranscriptHead, Usage } from '../contract/transcript.js';
import type { Shape } from './shape.js';

export const currentStateVersion = 1;

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
  cancel?: { mode: CancelMode; reason?: string };
  stop?: { status: 'stopped' | 'cancelled' } & StopReason;
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
  at: string;
  modelCalls: number;
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
        members: { list: { fields: { name: 'string', maxToolRounds: 'count', modelQueue: { optional: 'string' } } } },
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
      list: { fields: { id: 'string', ordinal: 'count', agent: 'string', start: 'count', at: 'string', modelCalls: 'count' } },
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
