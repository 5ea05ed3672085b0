/** What goes into the activities of a turn, and what comes out. Small: histories are made of it. */
import type { Team } from './agent.js';
import type { NewEvent } from './event.js';
import type { JsonObject } from './json.js';
import type { Message } from './message.js';
import type { RunInput } from './run.js';
import type { EntryRef, ReplyFacts, Segment, TranscriptHead } from './transcript.js';

/** What every activity of a run is told. */
export interface StepInput {
  /** First execution's run id: with the workflow id, the key of the event log. */
  firstRunId: string;
  /** Events that only the workflow knew; written before the step's own. */
  events?: NewEvent[];
}

/** A step of a turn. */
export interface TurnStep extends StepInput {
  /** `turn/call` or `turn/call/index`: the same on every attempt. */
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

export interface CallModelInput extends TurnStep {
  transcript: TranscriptRef;
  /** The turn hears the entries before this position, and its own. */
  start: number;
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
}

export interface CallToolInput extends TurnStep {
  call: { callId: string; name: string; arguments: JsonObject } | { callId: string; name: string; from: { blob: string; index: number } };
  /** What the model wrote instead of a JSON object. */
  rawArguments?: string;
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

export interface LoadTeamOutput {
  team: Team;
  limits: { turns?: number; tokens?: number; timeMs?: number };
  options: JsonObject;
  orchestration?: string;
  settings: RunSettings;
}

/** What the worker that loaded the team was configured with. Recorded, so that a run keeps its own. */
export interface RunSettings {
  times: StepTimes;
  /** Search attributes are registered in this namespace. */
  searchAttributes: boolean;
  /** Continue as new beyond so many history events, also before the server suggests it. */
  historyEvents?: number;
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
