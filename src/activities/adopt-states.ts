import { messagesOfState, type StatedMessage } from '../agent-state/entries.js';
import { parseAgentState } from '../agent-state/parse.js';
import { fail, readNow } from '../contract/failure.js';
import { isSnapshotId } from '../contract/guards.js';
import type { AdoptStatesInput, AdoptStatesOutput } from '../contract/state-step.js';
import type { Entry } from '../contract/transcript.js';
import type { BlobStore, Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import { headAfter, writeSegments } from './seal-segment.js';
import { asHeld } from '../store/step-message.js';

/** So many turns of a document are remembered by their ids. */
const remembered = 500;

/** Puts what agents have heard and said elsewhere at the beginning of a transcript, each for its own ears. Safe to repeat. */
export function createAdoptStates({ store }: { store: Store }) {
  return async function adoptStates(input: AdoptStatesInput): Promise<AdoptStatesOutput> {
    await publishEvents(store.events, input);
    const adopted: AdoptStatesOutput = { segments: [], head: input.head, imports: {}, said: [] };
    for (const [agent, given] of Object.entries(input.states)) {
      const { id, text } = await find(store.blobs, agent, given);
      const stated = messagesOfState(readNow(() => parseAgentState(text)));
      const start = adopted.head?.length ?? 0;
      const entries = await Promise.all(stated.map((message) => entryOf(store.blobs, agent, message)));
      const written = await writeSegments(store.blobs, adopted.head, entries);
      adopted.segments.push(...written);
      adopted.head = headAfter(written, adopted.head);
      const replies = new Map(
        stated.flatMap((message, i) => (message.in === 'response' && message.correlationId ? [[message.correlationId, start + i]] : [])),
      );
      adopted.said.push(...[...replies].slice(-remembered).map(([turn, reply]) => ({ id: turn, reply })));
      adopted.imports[agent] = id;
    }
    return adopted;
  };
}

/** A document is kept as it is, whichever way it comes. */
async function find(blobs: BlobStore, agent: string, given: string): Promise<{ id: string; text: string }> {
  if (!isSnapshotId(given)) return { id: await blobs.put(given), text: given };
  const text = await blobs.get(given);
  if (text === undefined) throw fail('State.NotFound', `There is no document "${given}" for ${agent} in this store. Import it first.`);
  return { id: given, text };
}

async function entryOf(blobs: BlobStore, agent: string, { message, in: place }: StatedMessage): Promise<Entry> {
  // Its own words, whatever it was called there.
  const own = place === 'response' && message.role === 'assistant' ? { ...message, authorName: agent } : message;
  return { ...(await asHeld(blobs, own)), audience: [agent], imported: true };
}
