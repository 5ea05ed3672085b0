import { fail } from '../contract/failure.js';
import { isSnapshotId } from '../contract/guards.js';
import type { BlobStore } from './store.js';

/**
 * The document of a snapshot, as it was written.
 *
 * @throws `State.NotFound` · `State.Unreadable` when it is no JSON
 */
export async function readDocument(blobs: Pick<BlobStore, 'get'>, id: string): Promise<unknown> {
  const text = isSnapshotId(id) ? await blobs.get(id) : undefined;
  if (text === undefined)
    throw fail('State.NotFound', `There is no snapshot "${String(id).slice(0, 100)}" in this store. List those of a run first.`);
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw fail('State.Unreadable', `"${id}" in the store is no snapshot. List those of a run first.`, { cause });
  }
}
