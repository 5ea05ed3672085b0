import type { SnapshotRecord } from '../contract/snapshot.js';
import type { Store } from './store.js';

/**
 * What is there of a run when Temporal does not know it any more: as what a session sleeps, or what a run was at its end. Of several that
 * have had the id, the one that began with this execution, if it has left anything; else the last.
 */
export async function leftBy(
  { snapshots }: Pick<Store, 'snapshots'>,
  workflowId: string,
  firstRunId?: string,
): Promise<SnapshotRecord | undefined> {
  const newest = async (reason: 'sleep' | 'finished', of?: { firstRunId: string }) =>
    (await snapshots.list(workflowId, { reason, limit: 1, ...of }))[0];
  const [sleeping, own] = await Promise.all([newest('sleep'), firstRunId === undefined ? undefined : newest('finished', { firstRunId })]);
  return own ?? sleeping ?? (await newest('finished'));
}
