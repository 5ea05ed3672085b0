/** What is to be deleted: sessions whose time is over, and runs that somebody wants to be gone. */

import type { EventLogKey } from './event.js';

/** Which: a conversation by the run id of its very first execution; without it everything under the workflow id. */
export interface DeletionKey {
  workflowId: string;
  conversationId?: string;
}

/** One entry of the list that the janitor works off. */
export interface Deletion extends DeletionKey {
  /** Its last chain of executions, by the run id of the first one. */
  firstRunId?: string;
  reason: DeletionReason;
  /** When something is to be done next. RFC 3339. */
  dueAt: string;
  /** When somebody asked for it, or when it came to its end. RFC 3339, by the server's clock. */
  requestedAt: string;
  /** When its newest execution began: what begins later under the same workflow id stays. RFC 3339, by the server's clock. */
  before?: string;
  /** Texts that nothing refers to go as soon as no run is at work, without the grace. */
  now?: true;
  status: DeletionStatus;
  /** What was removed so far. */
  removed: Removed;
  /** What there was when it began: counted, should whoever removes it be lost before all of it is gone. */
  found?: Pick<Removed, 'snapshots' | 'events'>;
  /** The same, looked for again in the end. */
  chains?: EventLogKey[];
  executions?: { workflowId: string; runId: string }[];
  /** Texts that it referred to: what of them is there in the end is referred to by others. */
  texts?: string[];
  /** Of UTF-8, what these had. */
  textBytes?: number;
  /** Since when nothing of it refers to any text. RFC 3339. */
  doomedAt?: string;
  /** What keeps it from going on, and how often that was tried. It is tried again when it is due. */
  failure?: { type: string; message: string };
  attempts?: number;
  proof?: DeletionProof;
}

/**
 * `scheduled`: until it is due nothing happens, and a message takes it off the list · `begun`: nobody wakes it any more · `removed`: it has
 * no execution, event and snapshot left · `doomed`: its texts wait for the grace · `done`.
 */
export type DeletionStatus = 'scheduled' | 'begun' | 'removed' | 'doomed' | 'done';

/** `expired`: nobody had said anything for its time. */
export type DeletionReason = 'expired' | 'asked';

export interface Removed {
  /** At Temporal. */
  executions: number;
  snapshots: number;
  events: number;
  /** Of those that it referred to: known of deletions that were asked for. */
  texts: number;
  /** Of UTF-8, what these had. */
  bytes: number;
}

/** What was found when it was looked for again, after all was done. */
export interface DeletionProof {
  /** RFC 3339. */
  at: string;
  executions: number;
  snapshots: number;
  events: number;
  /** Texts that it referred to and that are still there, because another run or snapshot refers to them. */
  texts: number;
}

/** The `status` query of the janitor. */
export interface JanitorStatus {
  /** Entries on its list, what was done lately included. */
  count: number;
  /** When the next is due. RFC 3339. */
  next?: string;
  /** The last that were done, newest first. */
  done: { workflowId: string; reason: DeletionReason; at: string; removed: Removed }[];
  failing: { workflowId: string; attempts: number; failure: { type: string; message: string }; next: string }[];
  /** Entries that cannot be read; they are left as they are. */
  unreadable: number;
}

export const nothingRemoved: Removed = { executions: 0, snapshots: 0, events: 0, texts: 0, bytes: 0 };

/** A workflow type. There is one such workflow for each namespace and task queue, and only while there is something on its list. */
export const janitorType = 'janitor';
/** A signal: there is something new on the list. */
export const rouseSignal = 'rouse';

export function janitorId(taskQueue: string): string {
  return `janitor/${taskQueue}`;
}
