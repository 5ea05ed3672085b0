import type { Outcome } from '../contract/snapshot.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { leftBy } from '../store/left.js';
import { readDocument } from '../store/read-document.js';
import type { Store } from '../store/store.js';

/** How a run has ended that Temporal does not know any more; `undefined` when it has left nothing here. */
export async function outcomeLeft(store: Pick<Store, 'blobs' | 'snapshots'>, workflowId: string): Promise<Outcome | undefined> {
  const left = await leftBy(store, workflowId);
  return left && readSnapshot(await readDocument(store.blobs, left.id)).snapshot.outcome;
}
