/** The transcript as the workflow holds it: segments by id, the newest entries as a tail. */
import { jsonBytes, sizes } from '../../contract/size.js';
import type { Entry, EntryRef, Segment, TranscriptHead, TranscriptPage } from '../../contract/transcript.js';
import type { TranscriptRef } from '../../contract/step.js';
import type { TranscriptState } from '../../state/run-state.js';

export class Transcript {
  /** Sizes of the tail's entries, computed once. */
  readonly #bytes: number[];

  constructor(
    private readonly state: TranscriptState,
    /** Told of every entry, once. */
    private readonly onAppend: (entry: Entry) => void = () => undefined,
  ) {
    this.#bytes = state.tail.map(jsonBytes);
  }

  /** Position after the last sealed entry. */
  get sealed(): number {
    const last = this.state.segments.at(-1);
    return last ? last.from + last.count : 0;
  }

  get length(): number {
    return this.sealed + this.state.tail.length;
  }

  get tailBytes(): number {
    return this.#bytes.reduce((sum, bytes) => sum + bytes, 0);
  }

  /** The last segment, as the part that a new one follows. */
  get lastSegment(): TranscriptHead {
    const last = this.state.segments.at(-1);
    return last ? { part: last.id, length: last.from + last.count } : null;
  }

  /** Returns its position. */
  append(entry: Entry): number {
    this.state.tail.push(entry);
    this.#bytes.push(jsonBytes(entry));
    this.onAppend(entry);
    return this.length - 1;
  }

  /** The entry at a position, unless it has been sealed. */
  at(position: number): Entry | undefined {
    return this.state.tail[position - this.sealed];
  }

  /** What an activity needs to read it all: O(new), whatever the length. */
  ref(): TranscriptRef {
    const since: EntryRef[] = [];
    let room: number = sizes.delta;
    for (let position = this.state.head?.length ?? 0; position < this.length; position++) {
      const entry = this.at(position) as Entry;
      const { message: _, blob, ...rest } = entry;
      const ref: EntryRef = blob === undefined ? { entry } : { stored: { ...rest, blob } };
      const bytes = blob === undefined ? (this.#bytes[position - this.sealed] as number) : jsonBytes(ref);
      const last = since.at(-1);
      if (bytes <= room) {
        since.push(ref);
        room -= bytes;
      } else if (last && 'inRun' in last) {
        last.count = (last.count ?? 1) + 1;
      } else {
        since.push({ inRun: position });
      }
    }
    return { head: this.state.head, since };
  }

  /** Entries that come after a head. */
  since(head: TranscriptHead): Entry[] {
    return this.state.tail.slice((head?.length ?? 0) - this.sealed);
  }

  /** An activity has stored the transcript up to here. */
  advance(head: TranscriptHead): void {
    if (head && head.length > (this.state.head?.length ?? 0)) this.state.head = head;
  }

  /** The oldest entries of the tail are in segments now. */
  seal(segments: Segment[]): void {
    for (const segment of segments) {
      this.state.segments.push(segment);
      this.state.tail.splice(0, segment.count);
      this.#bytes.splice(0, segment.count);
    }
    // Reading goes on from the segments, not from the many small parts that they replace.
    if (this.sealed >= (this.state.head?.length ?? 0)) this.state.head = this.lastSegment;
  }

  /** Begins with the conversation of another run, before anything is said here. */
  adopt({ segments, head }: { segments: Segment[]; head: TranscriptHead }): void {
    this.state.segments.push(...segments);
    this.state.head = head;
  }

  /** The run has slept: all of it is in the store, and nothing was said meanwhile. */
  restore({ segments, head }: { segments: Segment[]; head: TranscriptHead }): void {
    this.state.segments = segments;
    this.state.head = head;
  }

  /** Entries from `after` on: those still here, and the segments that hold the others. */
  page({ after = 0, limit = 100 }: { after?: number; limit?: number }): TranscriptPage {
    const from = Math.max(after, this.sealed);
    const segments = this.state.segments.filter((segment) => segment.from + segment.count > after);
    const entries: Entry[] = [];
    let bytes = 0;
    for (let position = from; position < this.length && entries.length < limit; position++) {
      bytes += this.#bytes[position - this.sealed] as number;
      if (bytes > sizes.page && entries.length > 0) break;
      entries.push(this.at(position) as Entry);
    }
    const end = from + entries.length;
    return { length: this.length, from, entries, segments, ...(end < this.length && { next: end }) };
  }
}
