/** The output of a nested run as a message. */
import type { Json } from './json.js';
import type { Message } from './message.js';

/** What an agent that asks another gets to hear, in characters. */
const mostAnswer = 32_000;

/** `callId`: it is the result of this call of the agent's; otherwise the agent's own words. */
export function outputMessage(given: { agent: string; output: Json; callId?: string; createdAt: string }): Message {
  const { agent: authorName, output, callId, createdAt } = given;
  const text = typeof output === 'string' ? output : JSON.stringify(output);
  if (callId === undefined) return { role: 'assistant', authorName, createdAt, contents: [{ $type: 'text', text }] };
  const result = text.length > mostAnswer ? `${text.slice(0, mostAnswer)} … (cut: it has ${text.length} characters)` : text;
  return { role: 'tool', authorName, createdAt, contents: [{ $type: 'functionResult', callId, result }] };
}
