import type { Snapshot, SnapshotRecord } from '../contract/snapshot.js';
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
  {
    document,
    head: before,
    segments,
    fresh,
    keep,
    key,
    isUnlisted,
    expires,
  }: SnapshotParts & Pick<SaveSnapshotInput, 'keep' | 'key' | 'isUnlisted' | 'expires'>,
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
  if (isUnlisted) return { id, head };
  const { run, reason } = document;
  const { lastTurn: turn } = document.state as { lastTurn: number };
  const record = { ...recordOf(id, document, { turn, length, key }), ...(expires && { expires }) };
  await snapshots.add(record);
  const others = (await snapshots.list(run.workflowId, { limit: listed })).filter((other) => other.id !== id && other.reason === reason);
  const isTwin = (other: SnapshotRecord) => other.key === key && other.firstRunId === run.firstRunId;
  // Only of those that nobody has asked for.
  const isOld = new Set(
    reason === 'turn' && keep !== undefined ? others.filter((other) => !isTwin(other)).slice(Math.max(keep - 1, 0)) : [],
  );
  // A worker that the run has gone on without may still be writing: what it has made is older than what the run knows.
  const isLate = others.some((other) => isTwin(other) && other.at > record.at);
  const gone = isLate ? [record] : others.filter((other) => isTwin(other) || isOld.has(other));
  if (gone.length > 0) await snapshots.remove(gone.map((other) => other.id));
  return { id, head };
}

/** Its line in the list. */
export function recordOf(
  id: string,
  { run, at, reason, label }: Snapshot,
  { turn, length, key }: Pick<SnapshotRecord, 'turn' | 'length' | 'key'>,
): SnapshotRecord {
  return { id, ...run, at, reason, ...(label !== undefined && { label }), turn, length, key };
}
