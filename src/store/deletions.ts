import type { Deletion } from '../contract/deletion.js';
import type { Packing } from './packing.js';
import type { DueDeletions } from './store.js';

/** One that is damaged, or whose key is missing here, keeps nobody from reading the others. */
export function readDue(rows: readonly { deletion: string }[], packing: Packing): DueDeletions {
  const deletions = rows.flatMap(({ deletion }) => {
    try {
      return [packing.read(deletion, 'deletion') as Deletion];
    } catch {
      return [];
    }
  });
  return { deletions, unreadable: rows.length - deletions.length };
}
