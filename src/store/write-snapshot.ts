import type { SaveSnapshotInput, SaveSnapshotOutput, SnapshotParts } from '../contract/state-step.js';
import type { Part, TranscriptHead } from '../contract/transcript.js';
import type { Store } from './store.js';

/** So many are looked through for old ones. */
const listed = 1000;

/**
 * Writes what the store does not have of the transcript, then the document that refers to it, then its line in the list: a snapshot
 * that is listed is whole. Safe to repeat, because everything is named by its content.
 */
export async function writeSnapshot(
  { blobs, snapshots }: Pick<Store, 'blobs' | 'snapshots'>,
  { document, head: before, segments, fresh, keep, key }: SnapshotParts & Pick<SaveSnapshotInput, 'keep' | 'key'>,
): Promise<SaveSnapshotOutput> {
  let head: TranscriptHead = before;
  if (fresh.length > 0) {
    const part: Part = { previous: before, entries: fresh };
    head = { part: await blobs.put(JSON.stringify(part)), length: (before?.length ?? 0) + fresh.length };
  }
  const sealed = segments.reduce((end, { count }) => end + count, 0);
  const length = head?.length ?? 0;
  const rest = head && length > sealed ? [{ id: head.part, from: sealed, count: length - sealed, bytes: 0 }] : [];
  const transcript = { segments: [...segments, ...rest], tail: [], head };
  const id = await blobs.put(JSON.stringify({ ...document, state: { ...document.state, transcript } }));
  const { run, at, reason, label } = document;
  const { lastTurn: turn } = document.state as { lastTurn: number };
  await snapshots.add({ id, ...run, at, reason, ...(label !== undefined && { label }), turn, length, key });
  const others = await snapshots.list(run.workflowId, { limit: listed });
  const twins = others.filter(
    (other) => other.key === key && other.firstRunId === run.firstRunId && other.reason === reason && other.id !== id,
  );
  if (twins.length > 0) await snapshots.remove(twins.map((twin) => twin.id));
  if (reason === 'turn' && keep !== undefined) await forgetOld(snapshots, run.workflowId, keep);
  return { id, head };
}

/** Only those that nobody has asked for. */
async function forgetOld(snapshots: Store['snapshots'], workflowId: string, keep: number): Promise<void> {
  const own = (await snapshots.list(workflowId, { limit: listed })).filter(({ reason }) => reason === 'turn');
  if (own.length > keep) await snapshots.remove(own.slice(keep).map(({ id }) => id));
}
