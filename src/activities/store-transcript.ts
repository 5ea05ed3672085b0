import type { StoreTranscriptInput } from '../contract/step.js';
import type { TranscriptHead } from '../contract/transcript.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import type { Transcripts } from './transcripts.js';

/** Puts the newest entries into the store, where another run can read them. Safe to repeat: the same entries have the same id. */
export function createStoreTranscript({ store, transcripts }: { store: Store; transcripts: Transcripts }) {
  return async function storeTranscript(input: StoreTranscriptInput): Promise<TranscriptHead> {
    await publishEvents(store.events, input);
    const { entries, fresh } = await transcripts.read(input.transcript);
    return await transcripts.write(input.transcript.head, fresh, entries);
  };
}
