/** Snapshots: what a run was at some moment, as one immutable document in the store. */
import { fail } from './failure.js';
import { show } from './problems.js';
import type { Checkpoint, RunResult, RunStatus } from './run.js';

/** Of the document, not of the run's state inside of it, which has a version of its own. */
export const snapshotVersion = '1.0.0';
export const snapshotType = 'ostinato.snapshot';

/** Why there is one. `turn`: the run was to keep one every so many turns. `rollback`: what it was before it was put back. `sleep`: it wakes as this. `finished`: what it was at its end. */
export type SnapshotReason = 'asked' | 'turn' | 'fork' | 'rollback' | 'sleep' | 'finished';

/** Everything that it takes to go on: with what it refers to in the store, which is written already and never changes. */
export interface Snapshot {
  schemaVersion: typeof snapshotVersion;
  type: typeof snapshotType;
  /** The run it was made of. */
  run: { workflowId: string; firstRunId: string };
  /** RFC 3339, by the run's clock. */
  at: string;
  reason: SnapshotReason;
  label?: string;
  /** Whose state documents go along with its export, unless that says otherwise. */
  agents?: AgentsToExport;
  definition: SnapshotDefinition;
  checkpoint: Checkpoint;
  /** What came of the run, when it was made at its end. */
  outcome?: Outcome;
  /** A `RunState`: its transcript is all in the store. */
  state: object;
  /** Runs that it had started and waited for, by operation. */
  members: { [operationId: string]: MemberSnapshot };
}

export type Outcome = { result: RunResult } | { failure: { type: string; message: string; details?: unknown[] } };

export interface SnapshotDefinition {
  pattern: string;
  orchestration?: string;
  /** Of the agents as they were recorded. */
  fingerprint: string;
  agents: string[];
}

export interface MemberSnapshot {
  snapshotId: string;
  pattern: string;
}

export const exportType = 'ostinato.export';

/** A snapshot, and everything that it refers to: one document that can go on in any other store. */
export interface RunExport {
  schemaVersion: typeof snapshotVersion;
  type: typeof exportType;
  snapshotId: string;
  run: Snapshot['run'];
  at: string;
  definition: SnapshotDefinition;
  /** Texts by the hash of their content: the snapshot, its agents, its transcript, its large messages, and those of runs nested in it. */
  blobs: { [id: string]: string };
  /** State documents of agents, as text, for readers in other languages. `import` does not need them. */
  agents?: { [agent: string]: string };
}

/** Whose state documents go along with an export. The snapshot always holds what all of them need to go on. */
export type AgentsToExport = 'all' | 'none' | readonly string[];

/** @throws `Input.UnknownAgent` */
export function assertAgents(agents: AgentsToExport | undefined, team: readonly string[]): void {
  const names = typeof agents === 'object' ? agents : [];
  const strangers = names.filter((name) => !team.includes(name)).map(show);
  if (strangers.length > 0) throw fail('Input.UnknownAgent', `${strangers.join(', ')}: not in the run's team (${team.join(', ')}).`);
}

/** A line in the list of snapshots. */
export interface SnapshotRecord {
  /** Content hash of the document. */
  id: string;
  /** The run it was made of. */
  workflowId: string;
  firstRunId: string;
  /** RFC 3339, by the run's clock. */
  at: string;
  reason: SnapshotReason;
  /** Given by whoever asked for it. */
  label?: string;
  /** The last turn that had begun. */
  turn: number;
  /** Entries in its transcript. */
  length: number;
  /** Of a session that sleeps: when it expires, unless somebody says something, and the conversation that it is. */
  expires?: { at: string; conversationId: string };
  /** What it was made for. A worker that was lost may have made one already, whose id nobody was told. */
  key: string;
}

/** How often a run keeps a snapshot by itself, and how many of these. */
export interface SnapshotPolicy {
  /** After every so many turns. @default 1 */
  every?: number;
  /** The newest so many; older ones leave the list. Those that somebody asked for stay. @default 20 */
  keep?: number;
}

export interface SaveInput {
  /** For people, in the list. */
  label?: string;
  /** Whose state documents its export brings along. @default 'none' */
  agents?: AgentsToExport;
}

/** One of both. */
export interface RollbackInput {
  snapshotId?: string;
  /** The newest snapshot that was made when this turn was the last one. */
  turn?: number;
}

export interface ForkInput {
  /** @default one made for it */
  snapshotId?: string;
  /** Workflow id of the new run. @default the run's own with an addition */
  as?: string;
}

/** What a run was asked to do with its own state: accepted at once, done where nothing is half done. One of `status.operations`. */
export interface CommandStatus {
  id: string;
  kind: 'save' | 'rollback' | 'fork';
  status: 'pending' | 'done' | 'failed';
  /** What was saved, forked or gone back to. */
  snapshotId?: string;
  /** Workflow id of the fork. */
  runId?: string;
  failure?: { type: string; message: string };
}

/** Those among the operations of a run that it does with its own state. */
export function commandsOf({ operations }: Pick<RunStatus, 'operations'>): CommandStatus[] {
  return operations.filter((operation) => operation.kind !== 'nested');
}

/** Where a run came from that was started from a snapshot. */
export interface SnapshotOrigin {
  snapshotId: string;
  workflowId: string;
  conversationId: string;
  /** The last turn that had been taken there. */
  turn: number;
  /** In what it differs from the definition that it was loaded into, where somebody has said that this is no matter. */
  overridden?: string[];
}
