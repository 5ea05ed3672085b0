import type { Store } from './store.js';

/** The snapshot that a session has left when it fell asleep, until it wakes. */
export async function asleepAs({ snapshots }: Pick<Store, 'snapshots'>, workflowId: string): Promise<string | undefined> {
  return (await snapshots.list(workflowId)).find(({ reason }) => reason === 'sleep')?.id;
}
