/**
 * The words of a run.
 *
 * **agent** who speaks · **tool** what an agent may do · **pattern** how agents take turns · **orchestration** a named pattern over
 * named agents · **run** one execution (one Temporal workflow) · **session** a run that stays open for more turns · **turn** one agent
 * speaking: model ⇄ tools until it replies · **step** one durable unit inside a turn (a model call, a tool call), with a stable id ·
 * **transcript** what has been said · **event** what a watcher sees · **limit** turns, tokens, time · **checkpoint** where the run is.
 */
import type { AgentDefinition, Member } from './agent.js';
import type { Json, JsonObject, Span } from './json.js';
import type { MessageInput } from './message.js';
import type { AgentReference, PatternName, PatternOptions } from './pattern.js';
import type { CommandStatus, SnapshotOrigin, SnapshotPolicy } from './snapshot.js';
import type { Condition, Fired } from './termination.js';
import type { Inherited, Segment, TranscriptHead, Usage } from './transcript.js';

/** What is the same for every pattern: how a run ends, what goes in and what comes out. */
export interface RunFrame<A = AgentReference, F = string> {
  limits?: Limits;
  /** When the team is done: a condition, or a tree of them. */
  termination?: Condition<F>;
  /** How a task that is no message becomes messages. */
  input?: InputShape<F>;
  /** What the output has to be. */
  output?: OutputShape<A, F>;
}

/** The one JSON document that starts a run of any pattern. */
export interface RunInput<P extends PatternName = PatternName> extends RunFrame {
  /** What to do: a string, a message, a list of messages; with `input`, any JSON. */
  task?: MessageInput | MessageInput[] | Json;
  /** Names of registered agents and orchestrations and/or inline definitions, in speaking order. */
  agents?: Member[];
  /** The pattern's own options. */
  options?: PatternOptions[P];
  /** Workflow id of an earlier run whose conversation this one goes on with. */
  conversation?: string;
  /** Name of a registered orchestration that fills all of the above; the rest of the input overrides it. */
  orchestration?: string;
  /**
   * What agents bring along, by name: documents of .NET, Python or of other runs here, as text or by their ids in the store. Each agent
   * begins with what it has heard and said there; the others hear nothing of it.
   */
  states?: { [agent: string]: string };
  /** Id of a snapshot to go on from. What else is given here has to fit it; task and conversation it brings along. */
  snapshot?: string;
  /** With `snapshot`: differences between its definition and the one given here are accepted, and recorded. */
  override?: boolean;
  /** Snapshots that the run is to keep by itself. @default none */
  snapshots?: SnapshotPolicy;
  /**
   * After so long a wait for a person, a message or a run within, the run saves itself and sleeps until something comes, or its time does.
   * @default the session's `options.sleepAfter`, else as the worker says
   */
  sleepAfter?: Span | 'never';
  /** A run's own serialized state. Written by continue-as-new, never by hand. */
  state?: unknown;
  /** Whose member this run is. Written by the run that starts it, never by hand. */
  nested?: NestedStart;
}

/** How a task of any JSON becomes messages: as JSON in a user's message, unless a function makes others of it. */
export interface InputShape<F = string> {
  /** JSON schema that the task has to fit. */
  schema?: JsonObject;
  /** A registered function: given the task, it returns a message or several. */
  transform?: F;
}

/** What the output has to be. */
export interface OutputShape<A = AgentReference, F = string> {
  /** JSON schema of the output. */
  schema?: JsonObject;
  /** The last reply is read as JSON, or a model is asked for it once more, over the whole conversation. @default 'reply' */
  from?: 'reply' | 'conversation';
  /** Who is asked, with `from: 'conversation'`. @default the default model */
  agent?: A;
  /** A registered function: given the output so far, it returns the one to take. */
  transform?: F;
}

/** What a run is told by the run that starts it as its member. */
export interface NestedStart {
  /** Workflow id of that run. */
  parent: string;
  /** By which it knows this one. */
  operationId: string;
  /** What `loadTeam` has prepared: agents, options, limits. Absent where it goes on from a snapshot. */
  prepared?: string;
  /** The other run's transcript so far. */
  inherited?: Inherited & { head: TranscriptHead; lastTurn: number };
  /** What is left of its limits. Not of its time: when that is over, it breaks this run off. */
  limits?: { tokens?: number };
  /** After how many milliseconds of waiting it sleeps. */
  sleepAfterMs?: number | null;
  /** Where the events of this run are told as well: the log of the run at the top. */
  root: { workflowId: string; firstRunId: string };
}

/** Each ends the run as an outcome (`status: 'stopped'`), never as an error. */
export interface Limits {
  /** Most turns, all agents together. */
  turns?: number;
  /** Most tokens, input and output together, all model calls. Checked before each call. */
  tokens?: number;
  /** Most wall-clock time since the run started, waiting included. */
  time?: Span;
}

export interface RunResult<Output = Json> {
  status: 'completed' | 'stopped' | 'cancelled';
  /** The answer: normally the last reply. `null` when nobody has spoken. */
  output: Output;
  /** The output was too large to travel: the whole is in the store under this id, `output` is its beginning. */
  outputArtifact?: string;
  stopReason: StopReason;
  /** The output is the best that could be had when a limit was reached, not an answer. */
  incomplete?: true;
  usage: Usage;
  /** Turns taken. */
  rounds: number;
}

export interface StopReason {
  code: StopCode;
  /** One sentence for a person. */
  message: string;
  /** With the code `condition`: those that fired. */
  conditions?: Fired[];
}

/** Why a run ended, for machines. */
export const stopCodes = {
  completed: 'The pattern came to its end.',
  condition: 'A termination condition was met.',
  'limit.turns': 'The limit of turns was reached.',
  'limit.tokens': 'The limit of tokens was reached.',
  'limit.time': 'The limit of time was reached.',
  'limit.rounds': 'The most rounds that the pattern allows were taken.',
  'limit.resets': 'The most new plans that the pattern allows were made.',
  'limit.returns': 'Two agents handed over to each other again and again.',
  'person.silent': 'Nobody answered in time.',
  'plan.rejected': 'A person rejected the plan.',
  asleep: 'Nobody has said anything for long; the next message wakes it.',
  expired: 'Nobody has said anything for so long that it is deleted; the next message begins a new one.',
  cancelled: 'Somebody asked for it.',
} as const;
export type StopCode = keyof typeof stopCodes;

/** Where a run is, for people: the `status` query. */
export interface RunStatus {
  /** The workflow id. */
  runId: string;
  /** The first execution's run id: with the workflow id, the key of the event log. */
  firstRunId: string;
  pattern: PatternName | (string & {});
  orchestration?: string;
  status: 'starting' | 'running' | 'waiting' | 'asleep' | 'completed' | 'stopped' | 'cancelled' | 'failed';
  /** Turns in flight. */
  turns: { id: string; agent: string; ordinal: number; modelCalls: number }[];
  agents: string[];
  rounds: number;
  usage: Usage;
  /** Messages accepted and not yet taken up. */
  inbox: number;
  /** Questions that wait for a person, those of nested runs included. */
  requests: string[];
  /** Runs that this one has started and waits for; and what became of the last that it was asked to save, fork or go back to. */
  operations: (NestedStatus | CommandStatus)[];
  /** The newest snapshot. */
  snapshotId?: string;
  /** It waits, and most of it is a snapshot meanwhile. `failure`: why it could not be woken; that is tried again and again. */
  asleep?: { since: string; snapshotId: string; failure?: { type: string; message: string } };
  /** The snapshot that it was started from. */
  origin?: SnapshotOrigin;
  /** Set once a cancel was asked for. */
  cancel?: { mode: CancelMode; reason?: string };
  result?: RunResult;
  failure?: { type: string; message: string };
  transcriptLength: number;
  startedAt: string;
}

/** A run that another has started. */
export interface NestedStatus {
  id: string;
  kind: 'nested';
  /** Workflow id. */
  runId: string;
  member: string;
}

/** Where a run is, for machines: the `checkpoint` query. Small, versioned, and the same shape in every language. */
export interface Checkpoint {
  conversationId: string;
  orchestration: string;
  stateVersion: number;
  /** Step in flight, or the last one. */
  currentStep: string | null;
  /** The last hundred. */
  completedSteps: string[];
  completedStepCount: number;
  /** Where the stored outputs of those steps are. */
  stepOutputs: { [step: string]: { artifactId: string } };
  /** Events that wait for the next activity to take them to the log. */
  pendingEvents: string[];
  /** Attempts beyond the first, all steps together. */
  retryCount: number;
  /** Fingerprint of the agents. */
  team: string | null;
  transcript: { length: number; segments: Segment[]; head: TranscriptHead };
  usage: Usage;
  /** Times the run has continued as new. */
  continuations: number;
  /** It sleeps: completed steps, their outputs and segments are in this snapshot. */
  snapshotId?: string;
}

export type CancelMode = 'graceful' | 'immediate';

/** The `turn` query, and what the client's `say` waits for. */
export interface TurnStatus {
  turnId: string;
  status: 'unknown' | 'queued' | 'running' | 'completed' | 'failed';
  /** Position of the reply in the transcript. */
  position?: number;
  /** The agent's words once completed, while the workflow still holds them, or their beginning when `replyArtifact` holds the whole. */
  reply?: string;
  replyArtifact?: string;
  failure?: { type: string; message: string };
}

export interface SayInput {
  message: MessageInput;
  /** The same id again is the same turn. @default a new one */
  id?: string;
}

export interface CancelInput {
  /** `graceful` lets the turn in flight finish; `immediate` aborts it. @default 'graceful' */
  mode?: CancelMode;
  reason?: string;
}

export interface RespondInput {
  requestId: string;
  /** Anything that fits the request's schema. */
  response: Json;
  /** Who answers, as the caller says. */
  by?: string;
}

/** Asks a run with an `external` condition to come to its end after the turn in flight. */
export interface StopInput {
  reason?: string;
}

export type { AgentDefinition, JsonObject };
