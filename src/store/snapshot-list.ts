import type { SnapshotRecord } from '../contract/snapshot.js';
import type { ListSnapshots } from './store.js';

/** An engine finds those that say so, and those that an earlier release has listed, which only their records tell of. */
export function madeFor(found: SnapshotRecord[], { limit, reason, firstRunId }: ListSnapshots): SnapshotRecord[] {
  return found
    .filter((record) => record.reason === reason && (firstRunId === undefined || record.firstRunId === firstRunId))
    .slice(0, limit);
}
