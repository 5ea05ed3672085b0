/** Snapshots: what a run was at some moment, as one immutable document in the store. */

/** What made a run keep a snapshot. `rollback`: what it was before it was put back. */
export type SnapshotReason = 'asked' | 'turn' | 'rollback' | 'import';

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
}
