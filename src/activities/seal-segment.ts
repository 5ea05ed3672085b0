import type { SealSegmentInput, SealSegmentOutput } from '../contract/step.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { Entry, Part, Segment, TranscriptHead } from '../contract/transcript.js';
import type { BlobStore, Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import type { Transcripts } from './transcripts.js';

/** Makes large immutable segments of what lies in many small parts. Safe to repeat: the same entries have the same ids. */
export function createSealSegment({ store, transcripts }: { store: Store; transcripts: Transcripts }) {
  return async function sealSegment(input: SealSegmentInput): Promise<SealSegmentOutput> {
    await publishEvents(store.events, input);
    const { entries } = await transcripts.read(input.transcript);
    return await writeSegments(store.blobs, input.previous, entries.slice(input.from));
  };
}

/** Behind what is there already: as few as the size of one allows. */
export async function writeSegments(blobs: BlobStore, previous: TranscriptHead, entries: readonly Entry[]): Promise<Segment[]> {
  const segments: Segment[] = [];
  for (const group of bySize(entries)) {
    const head = headAfter(segments, previous);
    const part: Part = { previous: head, entries: group };
    const text = JSON.stringify(part);
    segments.push({ id: await blobs.put(text), from: head?.length ?? 0, count: group.length, bytes: text.length });
  }
  return segments;
}

/** What ends with the last of these. */
export function headAfter(segments: readonly Segment[], otherwise: TranscriptHead): TranscriptHead {
  const last = segments.at(-1);
  return last ? { part: last.id, length: last.from + last.count } : otherwise;
}

function* bySize(entries: readonly Entry[]): Generator<Entry[]> {
  let group: Entry[] = [];
  let bytes = 0;
  for (const entry of entries) {
    const size = jsonBytes(entry);
    if (group.length > 0 && bytes + size > sizes.segment) {
      yield group;
      group = [];
      bytes = 0;
    }
    group.push(entry);
    bytes += size;
  }
  if (group.length > 0) yield group;
}
