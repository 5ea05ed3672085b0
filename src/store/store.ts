/**
 * What outlives a process: blobs by content hash (segments, parts, artifacts, teams), the list of snapshots, the event log, and permits.
 * Only activities and the watching side of the client touch it. Everything is kept apart by environment.
 */
import type { EventLogKey, NewEvent, RunEvent } from '../contract/event.js';
import type { SnapshotReason, SnapshotRecord } from '../contract/snapshot.js';

/** Namespace and task queue: what separates dev, staging and production in one store. */
export interface Environment {
  namespace: string;
  taskQueue: string;
}

export interface Store {
  readonly environment: Environment;
  readonly blobs: BlobStore;
  readonly snapshots: SnapshotIndex;
  readonly events: EventLog;
  readonly permits: Permits;
  close(): Promise<void>;
}

/** Immutable texts, named by the hash of their content. */
export interface BlobStore {
  /** Writing the same text again is a no-op. Returns its id. */
  put(text: string): Promise<string>;
  /** `undefined` when there is none. */
  get(id: string): Promise<string | undefined>;
  /**
   * Goes through all blobs of this environment once. One that is not referenced is doomed; one that was doomed at least so long ago, by
   * the store's clock, is deleted. Whoever puts the same text again, or refers to it, saves it. Others go on reading and writing.
   */
  collect(isReferenced: (id: string) => boolean, graceMs: number): Promise<Swept>;
}

/** What became of all blobs: each is counted once. */
export interface Swept {
  /** Referenced. */
  kept: number;
  /** Not referenced, and waiting for their time, newly or already. */
  doomed: number;
  deleted: number;
  /** What the deleted ones took up in the store. */
  bytes: number;
}

/** Which snapshots there are. The documents themselves are blobs, and a snapshot's id is the id of its document. */
export interface SnapshotIndex {
  /** The same id again changes nothing. */
  add(snapshot: SnapshotRecord): Promise<void>;
  /** `undefined` when there is none. */
  get(id: string): Promise<SnapshotRecord | undefined>;
  /** Those of a run, the one added last first: all, or those made for a reason, or left by one execution. */
  list(workflowId: string, options?: ListSnapshots): Promise<SnapshotRecord[]>;
  /** Those of all runs, page by page: begins after the last id of the page before, in an order of the engine's own. */
  all(after?: string, limit?: number): Promise<SnapshotRecord[]>;
  /** Takes them off the list; ids that are not on it are no problem. Their documents stay. */
  remove(ids: readonly string[]): Promise<void>;
}

export interface ListSnapshots {
  /** @default 100 */
  limit?: number;
  reason?: SnapshotReason;
  /** With `reason`. Runs that have had an id one after another are told apart by it. */
  firstRunId?: string;
}

/** One append-only list of events per run. */
export interface EventLog {
  /** In order; an event whose `key` is already in this log is left out. */
  append(log: EventLogKey, events: readonly NewEvent[]): Promise<void>;
  /** Events after a cursor, oldest first. Waits up to `waitMs` for the first one when there are none. */
  read(log: EventLogKey, cursor: EventCursor, options?: ReadEvents): Promise<RunEvent[]>;
  /** `seq` of the last event, 0 for an empty log. */
  end(log: EventLogKey): Promise<number>;
}

export interface EventCursor {
  epoch: number;
  /** The last `seq` already seen; 0 for all. */
  seq: number;
}

export interface ReadEvents {
  /** @default 500 */
  limit?: number;
  /** @default 0 */
  waitMs?: number;
  signal?: AbortSignal;
}

/** Counts who does something at the same time, across all processes that share the store. */
export interface Permits {
  /**
   * Waits for one of `limit` places under `name`. A place not renewed for `leaseMs` is free again, so that a killed process
   * gives back what it held. Rejects with the signal's reason when aborted.
   */
  acquire(name: string, limit: number, options?: { leaseMs?: number; signal?: AbortSignal }): Promise<Permit>;
}

export interface Permit {
  release(): Promise<void>;
}
