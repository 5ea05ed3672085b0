import type { SnapshotRecord } from '../contract/snapshot.js';
import type { Store } from './store.js';

/** The snapshot that a session has left when it fell asleep, until it wakes. One that has expired by this time is none. */
export async function asleepAs(
  { snapshots }: Pick<Store, 'snapshots'>,
  workflowId: string,
  nowMs: number,
): Promise<SnapshotRecord | undefined> {
  const [newest] = await snapshots.list(workflowId, { reason: 'sleep', limit: 1 });
  return newest?.expires && Date.parse(newest.expires.at) <= nowMs ? undefined : newest;
}

/** It is not to be woken as that any more. Safe to repeat. */
export async function endSleep(store: Pick<Store, 'snapshots'>, workflowId: string): Promise<void> {
  const asleep = await asleepAs(store, workflowId, -Infinity);
  if (asleep !== undefined) await store.snapshots.remove([asleep.id]);
}
