import type { FindMessageInput, FindMessageOutput } from '../contract/state-step.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import type { Transcripts } from './transcripts.js';

/** Looks through the whole transcript. Only reads. */
export function createFindMessage({ store, transcripts }: { store: Store; transcripts: Transcripts }) {
  return async function findMessage({ id, head, fresh, ...base }: FindMessageInput): Promise<FindMessageOutput> {
    await publishEvents(store.events, base);
    const entries = (await transcripts.at(head)).concat(fresh);
    if (!entries.some((entry) => entry.id === id)) return { isThere: false };
    const turn = entries.find(({ opens }) => opens?.id === id)?.turn;
    const replies = entries.flatMap((entry, i) =>
      turn !== undefined && entry.turn === turn && entry.message.role === 'assistant' ? [i] : [],
    );
    const reply = replies.at(-1);
    return { isThere: true, ...(reply !== undefined && { reply }) };
  };
}
