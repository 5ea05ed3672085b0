import type { AgentStateDocument } from '../agent-state/document.js';
import { messagesOfState, type StatedMessage } from '../agent-state/entries.js';
import { parseAgentState } from '../agent-state/parse.js';
import { fail, failureOf } from '../contract/failure.js';
import { isSnapshotId } from '../contract/guards.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { AdoptStatesInput, AdoptStatesOutput } from '../contract/state-step.js';
import type { Entry, Part, TranscriptHead } from '../contract/transcript.js';
import type { BlobStore, Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import { bySize } from './seal-segment.js';
import { toStepMessage } from '../store/step-message.js';

/** So many turns of a document are remembered by their ids. */
const remembered = 500;

/** Puts what agents have heard and said elsewhere at the beginning of a transcript, each for its own ears. Safe to repeat. */
export function createAdoptStates({ store }: { store: Store }) {
  return async function adoptStates(input: AdoptStatesInput): Promise<AdoptStatesOutput> {
    await publishEvents(store.events, input);
    const adopted: AdoptStatesOutput = { segments: [], head: input.head, imports: {}, said: [] };
    for (const [agent, given] of Object.entries(input.states)) {
      const { id, text } = await find(store.blobs, agent, given);
      const stated = messagesOfState(read(text));
      const start = adopted.head?.length ?? 0;
      await write(store.blobs, adopted, await Promise.all(stated.map((message) => entryOf(store.blobs, agent, message))));
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

/** Nothing but another release helps against what is newer: whoever starts a run is told at once. */
function read(text: string): AgentStateDocument {
  try {
    return parseAgentState(text);
  } catch (error) {
    const { type, message, details } = failureOf(error);
    if (type !== 'State.Newer') throw error;
    throw fail('State.Newer', message, { final: true, ...(details && { details }) });
  }
}

async function entryOf(blobs: BlobStore, agent: string, { message, in: place }: StatedMessage): Promise<Entry> {
  // Its own words, whatever it was called there.
  const own = place === 'response' && message.role === 'assistant' ? { ...message, authorName: agent } : message;
  const stored = jsonBytes(own) > sizes.entry ? await toStepMessage(blobs, own) : { message: own };
  return { ...stored, audience: [agent], imported: true };
}

async function write(blobs: BlobStore, adopted: AdoptStatesOutput, entries: Entry[]): Promise<void> {
  for (const group of bySize(entries)) {
    const part: Part = { previous: adopted.head, entries: group };
    const text = JSON.stringify(part);
    const from: number = adopted.head?.length ?? 0;
    const segment = { id: await blobs.put(text), from, count: group.length, bytes: text.length };
    adopted.segments.push(segment);
    adopted.head = { part: segment.id, length: from + group.length } satisfies TranscriptHead;
  }
}
