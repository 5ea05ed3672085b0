/** What is too large for a history goes to the store, and its beginning to the run. */
import { toMessage, type Message, type MessageInput } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import { toStepMessage } from '../store/step-message.js';
import type { ClientContext } from './context.js';

/** Bytes. The server takes more, but several messages wait together, and ride along on continue-as-new. */
const mostInline = sizes.entry;

export async function asSent({ store }: ClientContext, given: MessageInput): Promise<MessageInput> {
  if (jsonBytes(given) <= mostInline) return given;
  const whole: Message = { createdAt: new Date().toISOString(), ...toMessage(given) };
  const { message, blob, cut } = await toStepMessage(store.blobs, whole);
  return cut && blob !== undefined ? { ...message, artifact: blob } : given;
}
