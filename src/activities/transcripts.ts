/** Reads the transcript that an activity was given by reference, and stores what is new of it. */
import { Context } from '@temporalio/activity';
import { fail } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { Message } from '../contract/message.js';
import type { TranscriptRef } from '../contract/step.js';
import type { Entry, EntryRef, Part, TranscriptHead, TranscriptPage } from '../contract/transcript.js';
import type { BlobStore } from '../store/store.js';
import { asHeld } from '../store/step-message.js';

/** Some entries, by the position of the first. */
type Stretch = Pick<TranscriptPage, 'from' | 'entries'>;

/** Transcripts read lately, by their head. A worker that goes on with a run it knows reads nothing at all. */
const cacheBytes = 128 * 1024 * 1024;

export class Transcripts {
  readonly #cache = new Map<string, { entries: readonly Entry[]; bytes: number }>();
  #bytes = 0;

  constructor(private readonly blobs: BlobStore) {}

  /** The whole transcript, and the end of it that is not in the store yet. */
  async read(ref: TranscriptRef): Promise<{ entries: readonly Entry[]; fresh: readonly Entry[] }> {
    const known = await this.at(ref.head);
    if (ref.since.length === 0) return { entries: known, fresh: [] };
    const fresh = await this.#resolve(ref.since);
    return { entries: known.concat(fresh), fresh };
  }

  /** Stores the new end, so that the next step needs no more than a reference. The same content has the same id. */
  async write(head: TranscriptHead, fresh: readonly Entry[], entries: readonly Entry[]): Promise<TranscriptHead> {
    if (fresh.length === 0) return head;
    const part: Part = { previous: head, entries: [...fresh] };
    const text = JSON.stringify(part);
    const id = await this.blobs.put(text);
    this.#remember(id, entries, text.length);
    return { part: id, length: (head?.length ?? 0) + fresh.length };
  }

  /** Everything up to a head: from memory, or by following the parts back. */
  async at(head: TranscriptHead): Promise<readonly Entry[]> {
    const parts: { id: string; part: Part; bytes: number }[] = [];
    let entries: readonly Entry[] = [];
    for (let next = head; next !== null;) {
      const cached = this.#recall(next.part);
      if (cached) {
        entries = cached;
        break;
      }
      const { part, bytes } = await this.#part(next.part);
      if ((part.previous?.length ?? 0) + part.entries.length !== next.length) {
        throw fail('State.Unreadable', `Part ${next.part} of the transcript does not have the length that the run remembers.`);
      }
      parts.push({ id: next.part, part, bytes });
      next = part.previous;
    }
    for (const { id, part, bytes } of parts.reverse()) {
      entries = entries.concat(part.entries);
      this.#remember(id, entries, bytes);
    }
    return entries;
  }

  /** The whole message of an entry whose message here is only a preview. */
  async whole(entry: Entry): Promise<Message> {
    return entry.cut && entry.blob ? await this.message(entry.blob) : entry.message;
  }

  async #resolve(refs: readonly EntryRef[]): Promise<Entry[]> {
    const resolved: Entry[] = [];
    let page: Stretch | undefined;
    for (const ref of refs) {
      if ('entry' in ref) {
        resolved.push(ref.entry);
      } else if ('stored' in ref) {
        const message = await this.message(ref.stored.blob);
        // Of a very large one the parts hold a preview.
        resolved.push({ ...ref.stored, ...(ref.stored.cut ? await asHeld(this.blobs, message) : { message }) });
      } else {
        for (let position = ref.inRun; position < ref.inRun + (ref.count ?? 1); position++) {
          if (!page || position >= page.from + page.entries.length) page = await this.#pageAt(position);
          resolved.push(await this.#offload(page.entries[position - page.from] as Entry));
        }
      }
    }
    // A large message stays by reference inside of parts as well.
    return await Promise.all(resolved.map((entry) => (entry.cut || !entry.blob ? entry : this.#offload(entry))));
  }

  async #offload(entry: Entry): Promise<Entry> {
    return entry.cut ? entry : { ...entry, ...(await asHeld(this.blobs, entry.message)) };
  }

  /** Entries from a position on. While a step is tried again, another turn may have had them sealed. */
  async #pageAt(position: number): Promise<Stretch> {
    const page = await readFromRun(position);
    const segment = page.segments.find(({ from, count }) => from <= position && position < from + count);
    if (segment) return { from: segment.from, entries: (await this.#part(segment.id)).part.entries };
    if (page.from === position && page.entries.length > 0) return page;
    throw fail('Store.Unavailable', `The run has no entry ${position} in its transcript.`);
  }

  async #part(id: string): Promise<{ part: Part; bytes: number }> {
    const text = await this.blobs.get(id);
    if (text === undefined) throw fail('Store.Unavailable', `The store has no part ${id} of this transcript. Is it the same store?`);
    return { part: JSON.parse(text) as Part, bytes: text.length };
  }

  /** One that is in the store by itself. */
  async message(blob: string): Promise<Message> {
    const text = await this.blobs.get(blob);
    if (text === undefined) throw fail('Store.Unavailable', `The store has no message ${blob}. Is it the same store?`);
    const message = JSON.parse(text) as Partial<Message> | null;
    // Whoever speaks to a run may name anything that is in the store.
    if (typeof message?.role !== 'string' || !Array.isArray(message.contents))
      throw fail('State.Unreadable', `${blob} in the store is no message.`);
    return message as Message;
  }

  #recall(id: string): readonly Entry[] | undefined {
    const found = this.#cache.get(id);
    if (!found) return undefined;
    this.#cache.delete(id);
    this.#cache.set(id, found);
    return found.entries;
  }

  #remember(id: string, entries: readonly Entry[], bytes: number): void {
    if (this.#cache.has(id)) return;
    this.#cache.set(id, { entries, bytes });
    this.#bytes += bytes;
    for (const [oldest, { bytes: freed }] of this.#cache) {
      if (this.#bytes <= cacheBytes || this.#cache.size <= 1) break;
      this.#cache.delete(oldest);
      this.#bytes -= freed;
    }
  }
}

/** A query costs no history. Only entries too large to be sent along are read this way. */
async function readFromRun(position: number): Promise<TranscriptPage> {
  const { client, info } = Context.current();
  const { workflowId, runId } = info.workflowExecution ?? {};
  if (!workflowId) throw fail('Store.Unavailable', 'An activity outside of a workflow has no transcript.', { final: true });
  const handle = client.workflow.getHandle(workflowId, runId);
  return await handle.query<TranscriptPage, [object]>(queries.transcript, { after: position, limit: 1000 });
}
