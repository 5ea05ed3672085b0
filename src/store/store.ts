/**
 * What outlives a process: blobs by content hash (segments, parts, artifacts, teams), the list of snapshots, the event log, and permits.
 * Only activities and the watching side of the client touch it. Everything is kept apart by environment.
 */
import type { Deletion, DeletionKey } from '../contract/deletion.js';
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
  readonly deletions: DeletionList;
  /** Sees to it that what was deleted is in no file of the engine any more, as far as the engine can tell. */
  scrub(): Promise<void>;
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
  /** In order; an event whose `key` is already in this log is left out. `owner`: another log that this one is deleted with. */
  append(log: EventLogKey, events: readonly NewEvent[], owner?: EventLogKey): Promise<void>;
  /** Events after a cursor, oldest first. Waits up to `waitMs` for the first one when there are none. */
  read(log: EventLogKey, cursor: EventCursor, options?: ReadEvents): Promise<RunEvent[]>;
  /** `seq` of the last event, 0 for an empty log. */
  end(log: EventLogKey): Promise<number>;
  /** All logs of a workflow id, or all that an owner has, in no order. */
  logs(of: { workflowId: string } | { owner: EventLogKey }): Promise<EventLogKey[]>;
  /** Deletes a log. Returns how many events it had; those of one that is being deleted by somebody else are counted once. */
  remove(log: EventLogKey): Promise<number>;
}

/** What is to be deleted, and when: one entry for each key. */
export interface DeletionList {
  /** Adds it or takes its place; `false` when that deletion has begun already, and nothing is changed. */
  schedule(deletion: Deletion): Promise<boolean>;
  /** Off the list; `false` when it has begun already. Nothing on the list is no problem. */
  withdraw(key: DeletionKey): Promise<boolean>;
  /** From now on it is neither scheduled anew nor withdrawn. `false` when it is not on the list, or not due by this time any more. */
  begin(key: DeletionKey, nowMs: number): Promise<boolean>;
  /** What has become of one. */
  save(deletion: Deletion): Promise<void>;
  remove(key: DeletionKey): Promise<void>;
  get(key: DeletionKey): Promise<Deletion | undefined>;
  /** Those that are due, the first ones first. */
  due(nowMs: number, limit?: number): Promise<DueDeletions>;
  /** How many there are, and when the next is due that is not due yet. */
  outlook(nowMs: number): Promise<{ count: number; nextMs?: number }>;
}

export interface DueDeletions {
  deletions: Deletion[];
  /** That cannot be read. */
  unreadable: number;
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
