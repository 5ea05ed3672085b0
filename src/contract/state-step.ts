/** What goes into the activities that save and load, and what comes out. */
import type { RunInput, RunResult } from './run.js';
import type { MemberSnapshot, Snapshot, SnapshotRecord } from './snapshot.js';
import type { RunSettings, StepInput } from './step.js';
import type { Entry, Segment, TranscriptHead } from './transcript.js';

/** A snapshot on its way into the store. */
export interface SnapshotParts {
  /** The transcript of its state ends where the store has it. */
  document: Snapshot;
  head: TranscriptHead;
  segments: Segment[];
  /** Entries after `head`. */
  fresh: Entry[];
}

export interface SaveSnapshotInput extends StepInput, SnapshotParts {
  /** What it is made for: of two with one key the later stays on the list. */
  key: string;
  /** So many of those that the run keeps by itself stay. */
  keep?: number;
  /** The run itself refers to it as long as it needs it. */
  isUnlisted?: true;
  /** Of one that sleeps. */
  expires?: SnapshotRecord['expires'];
}

/** What has come to its end is to be deleted at this time. */
export interface ScheduleDeletionInput extends StepInput {
  /** RFC 3339, by the run's clock. */
  at: string;
  dueAt: string;
}

export interface SaveSnapshotOutput {
  id: string;
  head: TranscriptHead;
}

/** Runs that the one that is saved waits for. */
export interface SaveMembersInput extends StepInput {
  operations: { id: string; runId: string }[];
}

export type SavedMember = MemberSnapshot | { result: RunResult } | { failure: { type: string; message: string } };
export type SaveMembersOutput = { [operationId: string]: SavedMember };

export interface LoadSnapshotInput extends StepInput {
  pattern: string;
  /** Either this, or `turn` and `workflowId`: the newest snapshot of that run when this turn was its last. */
  snapshotId?: string;
  turn?: number;
  workflowId?: string;
  /** The run that it is of goes on with it: runs that it waits for are where they were. */
  isAwaking?: true;
  /** It has to be of this conversation. */
  of?: { conversationId: string };
  /** The document that asks for it: what that says of agents, options and limits. */
  into?: RunInput;
}

export interface LoadSnapshotOutput {
  snapshotId: string;
  /** A `RunState`. */
  state: object;
  at: string;
  run: Snapshot['run'];
  members: Snapshot['members'];
  settings: RunSettings;
  overridden?: string[];
}

/** Whether something was said already, as far back as the transcript goes. */
export interface FindMessageInput extends StepInput {
  id: string;
  head: TranscriptHead;
  /** Entries after `head`. */
  fresh: Entry[];
}

export interface FindMessageOutput {
  isThere: boolean;
  /** Where it was answered. */
  reply?: number;
}

/** Lets agents begin with what documents say that they have heard and said. */
export interface AdoptStatesInput extends StepInput {
  /** Texts or ids, by agent. */
  states: { [agent: string]: string };
  /** What the transcript already has. */
  head: TranscriptHead;
}

export interface AdoptStatesOutput {
  segments: Segment[];
  head: TranscriptHead;
  /** Ids of the documents. */
  imports: { [agent: string]: string };
  /** Turns that had their reply there: the last of them, and where that is here. */
  said: { id: string; reply: number }[];
}
