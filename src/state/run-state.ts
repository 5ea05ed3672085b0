/** What a run remembers across continue-as-new: versioned, private to workflows. `read-state.ts` is the only way in. */
import type { Team } from '../contract/agent.js';
import type { AuditMark } from '../contract/audit.js';
import type { NewEvent } from '../contract/event.js';
import type { Json, JsonObject } from '../contract/json.js';
import type { Message } from '../contract/message.js';
import type { RequestView } from '../contract/request.js';
import type { CancelMode, RunResult, StopCode, StopReason } from '../contract/run.js';
import type { AgentsToExport, CommandStatus, SnapshotOrigin } from '../contract/snapshot.js';
import type { CallToolOutput, CallModelOutput, PreparedOutput, RunSettings } from '../contract/step.js';
import type { Entry, Segment, TranscriptHead, Usage } from '../contract/transcript.js';
import type { AuditState } from './audit.js';
import type { Compactions } from './compaction.js';
import type { Letter, NestedOrigin, Operation } from './nested-state.js';
import type { NoticeMark } from './notices.js';
import type { Sleeper } from './sleeper.js';
import type { TerminationState } from './termination.js';

export const currentStateVersion = 3;

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
  /** The pattern's own end, where it is not simply done. */
  ending?: { status: 'stopped'; code: StopCode; message: string; incomplete?: true };
  /** What the plot has come to, and what made the output of it, once they are done. */
  done?: { told?: Json; concluded?: Json };
  termination?: TerminationState;
  /** How far custom conditions have looked. */
  judged: number;
  /** What people were asked: all that waits, and the last hundred that do not. */
  requests: RequestState[];
  /** The record of all that do not wait any more. */
  audit?: AuditState;
  /** Nobody could be told of them lately: how often it was tried, and when it is tried again, in milliseconds of the run's clock. */
  unheard?: { tries: number; nextAt: number };
  /** By agent: tools whose calls need no approval any more. */
  approved?: { [agent: string]: string[] };
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
  /** Snapshots to keep: after how many turns, and how many. */
  snapshots?: { every: number; keep: number };
  lastSnapshot?: { id: string; turn: number };
  /** What it was asked to do with its own state: all that waits, and what became of the last fifty. */
  commands?: CommandState[];
  /** How often it was put back: a part of all ids after that, so that nothing done before is taken for done. */
  branch?: number;
  origin?: SnapshotOrigin;
  /** Since when nobody has said anything to a session that expires. RFC 3339. */
  quietSince?: string;
  /** Ids of messages were forgotten: one that is not known any more has to be looked up. */
  forgotten?: true;
  /** Documents that agents brought along: ids in the store. */
  imports?: { [agent: string]: string };
  /** Of long conversations: what stands for the older part. */
  compactions?: Compactions;
  /** Runs that were nested in it when it was saved, to be started again from their snapshots. */
  resume?: { operationId: string; snapshotId: string; pattern: string }[];
  /** After how many milliseconds of waiting it sleeps; `null`: never. @default as its worker says */
  sleepAfterMs?: number | null;
  /** It sleeps, and this is what is left of it. */
  sleeper?: Sleeper;
}

export interface CommandState extends CommandStatus {
  label?: string;
  agents?: AgentsToExport;
  /** Of a rollback. */
  turn?: number;
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
  /** What it has said, while that waits for its review, and how often it was sent back. */
  draft?: Draft;
  revisions?: number;
  /** What it asked people was withdrawn, because something new was said: it asks no more. */
  superseded?: boolean;
}

export interface Draft {
  text: string;
  blob?: string;
  cut?: true;
  usage?: Usage;
  /** In the transcript. */
  position: number;
}

/** A reply's calls, and by position what came of them so far. */
export interface ToolRound {
  reply: Pick<CallModelOutput, 'message' | 'blob' | 'cut' | 'rawArguments' | 'policies'>;
  outcomes: (CallToolOutput | null)[];
  /** By position: the runs that answer. */
  operations: { [index: number]: string };
  /** By position: calls of which nobody knows whether they took effect, how often that was so, and what a person had changed. */
  unknown?: { [index: number]: { times: number; reason: string; arguments?: JsonObject } };
}

/** `operation` and `nestedId`: asked in a nested run, and answered there. */
export interface RequestState extends RequestView {
  operation?: string;
  nestedId?: string;
  /** What people were told of it, where they are told. */
  told?: NoticeMark;
  /** What has happened to it. */
  trail?: AuditMark[];
  /** Ordinal of the turn that waits for it. Absent once it has taken the answer. */
  turn?: number;
  /** How often it was passed on, and how many reminders of the one who is asked now are over. */
  stage?: { escalations: number; reminded: number };
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
