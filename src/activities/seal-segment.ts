import type { SealSegmentInput, SealSegmentOutput } from '../contract/step.js';
import { sizes } from '../contract/size.js';
import { jsonBytes } from '../contract/size.js';
import type { Entry, Part, Segment, TranscriptHead } from '../contract/transcript.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import type { Transcripts } from './transcripts.js';

/** Makes large immutable segments of what lies in many small parts. Safe to repeat: the same entries have the same ids. */
export function createSealSegment({ store, transcripts }: { store: Store; transcripts: Transcripts }) {
  return async function sealSegment(input: SealSegmentInput): Promise<SealSegmentOutput> {
    await publishEvents(store.events, input);
    const { entries } = await transcripts.read(input.transcript);
    const segments: Segment[] = [];
    let previous: TranscriptHead = input.previous;
    for (const group of bySize(entries.slice(input.from))) {
      const part: Part = { previous, entries: group };
      const text = JSON.stringify(part);
      const from = previous?.length ?? 0;
      const segment = { id: await store.blobs.put(text), from, count: group.length, bytes: text.length };
      segments.push(segment);
      previous = { part: segment.id, length: from + group.length };
    }
    return segments;
  };
}

export function* bySize(entries: readonly Entry[]): Generator<Entry[]> {
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
