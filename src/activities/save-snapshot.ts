import type { SaveSnapshotInput, SaveSnapshotOutput } from '../contract/state-step.js';
import type { Store } from '../store/store.js';
import { writeSnapshot } from '../store/write-snapshot.js';
import { publishEvents } from './publish.js';

/** What a run has come to, in the store. Safe to repeat. */
export function createSaveSnapshot({ store }: { store: Store }) {
  return async function saveSnapshot(input: SaveSnapshotInput): Promise<SaveSnapshotOutput> {
    await publishEvents(store.events, input);
    return await writeSnapshot(store, input);
  };
}
