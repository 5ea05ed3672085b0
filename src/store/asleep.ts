import type { Store } from './store.js';

/** The snapshot that a session has left when it fell asleep, until it wakes. */
export async function asleepAs({ snapshots }: Pick<Store, 'snapshots'>, workflowId: string): Promise<string | undefined> {
  return (await snapshots.list(workflowId, { reason: 'sleep', limit: 1 }))[0]?.id;
}

/** It is not to be woken as that any more. Safe to repeat. */
export async function endSleep(store: Pick<Store, 'snapshots'>, workflowId: string): Promise<void> {
  const id = await asleepAs(store, workflowId);
  if (id !== undefined) await store.snapshots.remove([id]);
}
