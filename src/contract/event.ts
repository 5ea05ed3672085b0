/**
 * What a watcher sees. The log is a courtesy: no run depends on it, and the transcript is the truth.
 * New types and fields may appear at any time; readers ignore what they do not know.
 */
import type { CompactionReason } from './compaction.js';
import type { Json, JsonObject } from './json.js';
import type { NoticeChannel } from './notice.js';
import type { CallView } from './request.js';
import type { RunResult } from './run.js';
import type { Fired } from './termination.js';
import type { Usage } from './transcript.js';

/** Fields by type. `noun.past`, except the one that is still happening. */
export interface EventTypes {
  'run.started': { pattern: string; orchestration?: string; agents: string[] };
  'run.continued': { continuations: number };
  'message.received': { text: string; author?: string; messageId?: string };
  'turn.started': { turnId: string };
  /** A step starts over: forget the partial text of its earlier attempts. */
  'step.restarted': { reason?: string };
  /** Words as they come. Join those of the highest attempt of a step, by `seq`. */
  delta: { text: string; kind?: 'reasoning' };
  'message.completed': { text: string; usage: Usage; finishReason: string; model: string; calls?: string[] };
  'tool.called': { tool: string; callId: string; arguments?: Json };
  'tool.progressed': { tool: string; callId: string; progress: Json };
  'tool.returned': { tool: string; callId: string; ok: boolean; text: string };
  /** An agent hears less from now on; `dropping`: in this call. The transcript keeps everything. */
  'conversation.compacted': {
    by: 'summary' | 'function' | 'dropping';
    reason: CompactionReason;
    messages: number;
    artifact?: string;
    usage?: Usage;
  };
  /** The oldest messages are left out instead. */
  'compaction.failed': { by: 'summary' | 'function'; failure: { type: string; message: string } };
  'turn.completed': { turnId: string; text: string; usage: Usage; artifact?: string };
  'turn.failed': { turnId: string; failure: { type: string; message: string } };
  /** A turn that ended by handing over. */
  'handoff.made': { from: string; to: string; reason?: string };
  'speaker.chosen': { speaker: string; by: 'manager' | 'roundRobin' | 'fallback'; reason?: string };
  'route.taken': { labels: string[]; targets: string[]; reason?: string; confidence?: number };
  'votes.counted': { votes: { vote: string; members: string[] }[]; winner: string };
  'plan.made': { facts: string; plan: string; reset: number };
  'progress.judged': { satisfied: boolean; stalls: number; speaker?: string; instruction?: string; reason?: string };
  /** A decision that could not be used; whoever made it is asked again. */
  'decision.refused': { by: string; reason: string };
  'condition.met': { conditions: Fired[] };
  'request.opened': {
    requestId: string;
    kind: string;
    prompt: string;
    schema?: JsonObject;
    assignee?: string[];
    role?: string;
    call?: CallView;
    expiresAt?: string;
  };
  'request.reminded': { requestId: string; times: number };
  /** Somebody else is asked the same. */
  'request.escalated': { requestId: string; times: number; assignee?: string[]; role?: string; expiresAt?: string };
  'request.answered': { requestId: string; by?: string; response: Json };
  /** `response`: the answer that counts instead. */
  'request.expired': { requestId: string; response?: Json };
  /** Nobody waits for an answer any more. */
  'request.withdrawn': { requestId: string; reason: string };
  /** Somebody outside was told of a request. */
  'notice.sent': { noticeId: string; requestId: string; about: string; by: NoticeChannel[] };
  /** Given up. */
  'notice.failed': { noticeId: string; requestId: string; about: string; reason: string };
  /** A member's turn is a run of its own. */
  'nested.started': { operationId: string; nestedRunId: string; pattern: string };
  'nested.ended': { operationId: string; nestedRunId: string; status: string };
  'snapshot.saved': { snapshotId: string; reason: string; label?: string };
  /** It goes on from a snapshot of another run. */
  'run.loaded': { snapshotId: string; from: string; overridden?: string[] };
  'run.expired': { expireAfter: Json };
  'run.slept': { snapshotId: string };
  'run.woken': { snapshotId: string };
  /** What it slept as cannot be read. It is tried again. */
  'wake.failed': { snapshotId: string; failure: { type: string; message: string } };
  'run.rolledBack': { snapshotId: string; lastTurn: number };
  'run.forked': { snapshotId: string; forkId: string };
  'command.failed': { operationId: string; command: string; failure: { type: string; message: string } };
  'input.refused': { handler: string; reason: string };
  'cancel.requested': { mode: string; reason?: string };
  'run.finished': { result: RunResult };
  'run.failed': { failure: { type: string; message: string } };
}

export type EventType = keyof EventTypes;

interface EventTags {
  /** RFC 3339. */
  at: string;
  /** Ordinal of the turn. */
  turn?: number;
  /** `turn/call` or `turn/call/index`. */
  step?: string;
  /** Of the activity, from 1. */
  attempt?: number;
  agent?: string;
  /** Workflow id of the nested run that it happened in; absent: in this run itself. */
  nested?: string;
}

/** An event as it is written; `key` makes writing it twice the same as once. */
export type NewEvent = { [T in EventType]: { type: T; key: string } & EventTags & EventTypes[T] }[EventType];

/** An event as it is read. */
export type RunEvent = { [T in EventType]: { type: T } & EventTags & EventTypes[T] }[EventType] & EventPlace;

export interface EventPlace {
  /** Position in the run's log, from 1, without gaps for a reader: the cursor. */
  seq: number;
  /** Raised when a log had to be rebuilt: cursors of another epoch start over. */
  epoch: number;
  /** The workflow id. */
  runId: string;
}

/** One run's log. A workflow id can be used again; the first execution's run id tells its uses apart. */
export interface EventLogKey {
  workflowId: string;
  firstRunId: string;
}
