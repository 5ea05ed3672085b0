import { fail } from '../contract/failure.js';
import { textOf, type Message } from '../contract/message.js';
import { outputMessage } from '../contract/output-message.js';
import type { StepMessage, StoreOutputInput } from '../contract/step.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import { toStepMessage } from '../store/step-message.js';

/** Makes a message of a large output, under the name of whoever says it here. Safe to repeat: the same message has the same id. */
export function createStoreOutput({ store }: { store: Store }) {
  return async function storeOutput(input: StoreOutputInput): Promise<StepMessage> {
    await publishEvents(store.events, input);
    const { agent, artifact, output = null, callId } = input;
    const whole = artifact === undefined ? output : await wordsOf(store, artifact);
    const createdAt = new Date().toISOString();
    return await toStepMessage(store.blobs, outputMessage({ agent, output: whole, createdAt, ...(callId !== undefined && { callId }) }));
  };
}

async function wordsOf({ blobs }: Store, artifact: string): Promise<string> {
  const text = await blobs.get(artifact);
  if (text !== undefined) return textOf(JSON.parse(text) as Message);
  throw fail('Store.Unavailable', `The store has no output ${artifact}. Does this worker use the same store as the others?`);
}
