import type { Content, Message } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import type { StepMessage } from '../contract/step.js';
import type { BlobStore } from '../store/store.js';
import { asText, cutText } from '../contract/cut-text.js';

/** What all texts of a preview may have together, in characters. */
const previewRoom = 8 * sizes.preview;

/**
 * A message as a step returns it: a small one as it is, a larger one also in the store, so that it is never sent again, and a very
 * large one as a preview. The store holds the message as `JSON.stringify` writes it.
 */
export async function toStepMessage(blobs: Pick<BlobStore, 'put'>, message: Message): Promise<StepMessage> {
  const bytes = jsonBytes(message);
  if (bytes <= sizes.inlineEntry) return { message };
  const blob = await blobs.put(JSON.stringify(message));
  return bytes <= sizes.entry ? { message, blob } : { message: previewOf(message), blob, cut: true };
}

/** A message as a part holds it: as it is, or when it is very large its beginning, and the whole by itself. */
export async function asHeld(blobs: Pick<BlobStore, 'put'>, message: Message): Promise<StepMessage> {
  return jsonBytes(message) <= sizes.entry ? { message } : await toStepMessage(blobs, message);
}

/** The beginning of each text, and every call by name: calls are run from a preview too. */
function previewOf({ contents, ...rest }: Message): Message {
  let room = previewRoom;
  const shorten = (text: string) => {
    const short = cutText(text, Math.min(sizes.preview, room));
    room = Math.max(0, room - short.length);
    return short;
  };
  return { ...rest, contents: contents.map((content) => previewOfContent(content, shorten)) };
}

function previewOfContent(content: Content, shorten: (text: string) => string): Content {
  switch (content.$type) {
    case 'functionCall':
      return { $type: 'functionCall', callId: content.callId, name: content.name, arguments: {} };
    case 'functionResult':
      return { $type: 'functionResult', callId: content.callId, result: shorten(asText(content.result)) };
    case 'text':
      return { $type: 'text', text: shorten(content.text) };
    case 'reasoning':
      return { $type: 'reasoning', text: shorten(content.text ?? '') };
    default: {
      const bytes = jsonBytes(content);
      if (bytes <= sizes.inlineEntry / 8) return content;
      return { $type: 'text', text: shorten(`[${content.$type}: ${bytes} bytes]`) };
    }
  }
}
