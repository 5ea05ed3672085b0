/** What goes into the activities of a turn, and what comes out. Small: histories are made of it. */
import type { Team } from './agent.js';
import type { CompactionDue, CompactionRef, RequestLimit } from './compaction.js';
import type { EventLogKey, NewEvent } from './event.js';
import type { Json, JsonObject } from './json.js';
import type { Message } from './message.js';
import type { Patience } from './patience.js';
import type { InputShape, RunInput, RunResult } from './run.js';
import type { Condition } from './termination.js';
import type { EntryRef, Inherited, ReplyFacts, Segment, TranscriptHead } from './transcript.js';

/** What every activity of a run is told. */
export interface StepInput {
  /** First execution's run id: with the workflow id, the key of the event log. */
  firstRunId: string;
  /** Of a session that was woken: the first run id of the execution that it began with. */
  conversationId?: string;
  /** Events that only the workflow knew; written before the step's own. */
  events?: NewEvent[];
  /** Of a nested run: the log of the run at the top, where its events are told as well. */
  root?: EventLogKey;
}

/** A step of a turn. */
export interface TurnStep extends StepInput {
  /** `turn/call`, `turn/call/index` or `turn/call/compaction`: the same on every attempt. */
  step: string;
  /** Ordinal of the turn. */
  turn: number;
  agent: string;
  /** `Team.id`. */
  team: string;
}

/** The transcript by reference: read `head` from the store, then add `since`. */
export interface TranscriptRef {
  head: TranscriptHead;
  since: EntryRef[];
}

/** What of the transcript a model is shown: see `hears`. */
export interface HearingInput {
  transcript: TranscriptRef;
  /** The turn hears the entries before this position, and its own. */
  start: number;
  from?: number;
  inherited?: Inherited;
  /** What stands for the older part of it. */
  compaction?: CompactionRef;
}

/** A call of a model. */
export interface ModelInput extends TurnStep, HearingInput {
  limit?: RequestLimit;
}

/** Nobody was asked yet. */
export interface NotYet {
  due: CompactionDue;
  /** The transcript as read, now in the store. */
  head: TranscriptHead;
}

export interface CallModelInput extends ModelInput {
  /** The tool rounds of this turn are used up: it must answer now. */
  mustAnswer?: true;
}

export interface CallModelOutput extends StepMessage {
  reply: ReplyFacts;
  rawArguments?: { [callId: string]: string };
  /** How to run the calls of this reply, by position, where it differs from the defaults. */
  policies?: { [index: number]: CallPolicy };
  /** The transcript as read, now in the store. */
  head: TranscriptHead;
}

/** A question to an agent, to be answered with JSON. Neither question nor answer is part of the conversation. */
export interface AskModelInput extends ModelInput {
  question: string;
  schema: JsonObject;
  /** Earlier answers, and what was wrong with each. */
  feedback?: { answer: string; problem: string }[];
}

export interface AskModelOutput {
  /** The answer, when it has the form asked for; else what is wrong with it. */
  outcome: { value: Json } | { answer: string; problem: string; /** There is no JSON in it at all. */ plain?: true };
  reply: ReplyFacts;
  head: TranscriptHead;
  attempt?: number;
}

/** A registered function decides or transforms. */
export interface CallFunctionInput extends StepInput {
  name: string;
  step: string;
  input: Json;
  /** What was said from this position on is given to it, as `messages`. */
  since?: number;
  /** Instead of `input`: the words of the message that is in the store under this id. */
  words?: string;
  /** What has been said, should the function want to read it. */
  transcript: TranscriptRef;
  idempotencyKey: string;
}

export interface CallFunctionOutput {
  value: Json;
  head: TranscriptHead;
  attempt?: number;
}

/** Puts the newest entries into the store, so that a nested run can begin with them. */
export interface StoreTranscriptInput extends StepInput {
  transcript: TranscriptRef;
}

/** What became of a run that this one waits for, or that waits for this one, when it could not hear of its end. */
export interface LookUpRunInput extends StepInput {
  workflowId: string;
  /** It says that it ends: its end is waited for, not for long. */
  ends?: true;
  /** Whether it is there, and no more: its result is not of interest. */
  presence?: true;
}

export type LookUpRunOutput =
  | { status: 'open' }
  | { status: 'ended'; result: RunResult }
  | { status: 'failed'; failure: FailureRecord }
  /** Ended somehow, when no more was asked. */
  | { status: 'closed' };

/** The output of a nested run, when it is large, becomes what its member says, or the result of the call that asked for it. */
export interface StoreOutputInput extends StepInput {
  agent: string;
  /** The whole is in the store: a message under this id. */
  artifact?: string;
  /** Without an artifact: the output itself. */
  output?: Json;
  /** It answers this call. */
  callId?: string;
}

export interface FailureRecord {
  type: string;
  message: string;
}

/** A message made by a step. */
export interface StepMessage {
  message: Message;
  /** Content hash of the whole message, when it is worth a reference. */
  blob?: string;
  /** `message` is only a preview. */
  cut?: true;
  /** Of the activity, when it was not the first. */
  attempt?: number;
}

/** How a tool wants to be run. */
export interface CallPolicy {
  /** Per attempt. */
  timeoutMs?: number;
  /** `1`: started at most once; an unknown outcome is reported, never repeated. */
  attempts?: number;
  /** A person decides first. */
  approval?: CallApproval;
  /** When nobody knows whether it took effect, a person is asked. */
  onUnknownOutcome?: Pick<Patience, 'assignee' | 'role' | 'remind'>;
}

export interface CallApproval extends Patience<'approve' | 'reject' | 'fail'> {
  /** Of the arguments, for those who change them; absent where there is no room for it. */
  schema?: JsonObject;
  /** What a person reads of large arguments, which are not in the reply as the run has it. */
  shown?: string;
}

export interface CallToolInput extends TurnStep {
  call: { callId: string; name: string; arguments: JsonObject } | { callId: string; name: string; from: { blob: string; index: number } };
  /** What the model wrote instead of a JSON object. */
  rawArguments?: string;
  /** A person has changed the arguments. */
  edited?: true;
  /** Same key, same effect: handed to the tool. */
  idempotencyKey: string;
}

export interface CallToolOutput extends StepMessage {
  ok: boolean;
}

export interface SealSegmentInput extends StepInput {
  transcript: TranscriptRef;
  /** Position of the first entry of the new segment. */
  from: number;
  /** The segment before it. */
  previous: TranscriptHead;
}

/** One segment, or several when there was more to seal than one may hold. */
export type SealSegmentOutput = Segment[];

/** The first step of every run: its document becomes a team, a task and settings, all recorded. */
export interface LoadTeamInput extends StepInput {
  pattern: string;
  /** The run's document. Its task stays in the run, which has checked it: here it is only told of. */
  input: RunInput;
  taskProblems?: { path: string; message: string }[];
}

/** `asleep`: the snapshot as which a session under this id waits to be woken. */
export type LoadTeamOutput = (PreparedRun & { orchestration?: string }) | { asleep: string };

/** Everything that a run keeps from its start. Also stored, by content hash, for the nested runs of a team. */
export interface PreparedRun {
  /** Of which pattern it is a run. */
  pattern?: string;
  team: Team;
  limits: { turns?: number; tokens?: number; timeMs?: number };
  options: JsonObject;
  termination?: Condition;
  output?: PreparedOutput;
  input?: InputShape;
  settings: RunSettings;
}

export interface PreparedOutput {
  schema?: JsonObject;
  transform?: string;
  /** Member of staff that is asked for it over the whole conversation; absent: the last reply is it. */
  agent?: string;
}

/** What the worker that loaded the team was configured with. Recorded, so that a run keeps its own. */
export interface RunSettings {
  times: StepTimes;
  /** Search attributes are registered in this namespace. */
  searchAttributes: boolean;
  /** So is the one that says for whom a run waits. Runs of earlier releases do not set it. */
  waitingFor?: boolean;
  /** Continue as new beyond so many history events, also before the server suggests it. */
  historyEvents?: number;
  /** After how many milliseconds of waiting runs sleep, unless they say otherwise; `null`: never. Absent: recorded before runs slept. */
  sleepAfterMs?: number | null;
  /** A run leaves a snapshot when it ends. Runs of earlier releases do not. */
  keepFinished?: boolean;
  /** All that people were asked stays on record, not only the last hundred. Runs of earlier releases forget. */
  audit?: boolean;
  /** Somebody is to be told of requests. */
  notifies?: boolean;
}

/** Brings the conversation of an earlier run along. */
export interface AdoptConversationInput extends StepInput {
  /** Workflow id of that run. */
  conversation: string;
}

export interface AdoptConversationOutput {
  segments: Segment[];
  head: TranscriptHead;
  /** The highest ordinal of a turn in it. */
  lastTurn: number;
}

export interface PublishInput extends StepInput {
  events: NewEvent[];
}

/** How long steps may take and how often they are tried. Recorded when a run starts, so that a run keeps its own. */
export interface StepTimes {
  model: StepTime;
  tool: StepTime;
}

export interface StepTime {
  /** Per attempt. */
  attemptMs: number;
  attempts: number;
  /** All attempts and the pauses between them. */
  totalMs: number;
  /** An attempt that is silent for so long is lost. */
  heartbeatMs: number;
}
