/** A session that nobody speaks to for long enough is deleted: the janitor is told when, and does it. */
import { spanMs } from '../../contract/span.js';
import type { SnapshotRecord } from '../../contract/snapshot.js';
import { scheduleDeletion } from './activities.js';
import { now } from './clock.js';
import type { AnyRun } from './run.js';

/** Whoever waits for its end, or watches, is told before it is gone. */
const farewellMs = 10_000;
/** One whose time is over has so long for what it still has to do. */
const overdueMs = 1000;

/** When its time is over, in milliseconds of the run's clock; `Infinity`: never. It runs while nobody speaks. */
export function expiryOf({ state, pattern }: AnyRun): number {
  const ms = pattern.conversational ? spanMs((state.options as { expireAfter?: unknown }).expireAfter) : undefined;
  return ms === undefined ? Infinity : Date.parse((state.quietSince ??= new Date().toISOString())) + ms;
}

/** Until when it waits for a message: its time is over then, if not before. */
export function patienceOf(run: AnyRun): number {
  return Math.max(expiryOf(run), now() + overdueMs);
}

export function isExpired(run: AnyRun): boolean {
  return expiryOf(run) <= now();
}

/** What the list of snapshots says of one that sleeps. */
export function expiresOf(run: AnyRun): { expires?: NonNullable<SnapshotRecord['expires']> } {
  const at = expiryOf(run);
  return at === Infinity ? {} : { expires: { at: new Date(at).toISOString(), conversationId: run.state.conversationId } };
}

/** It has come to its end, or is about to. Nothing happens to it while it is open. */
export async function leaveToJanitor(run: AnyRun): Promise<void> {
  const at = expiryOf(run);
  if (at === Infinity) return;
  const dueAt = new Date(Math.max(at, now() + farewellMs)).toISOString();
  await run.outbox.alongLocally((base) => scheduleDeletion()({ ...base, at: new Date().toISOString(), dueAt }));
}
