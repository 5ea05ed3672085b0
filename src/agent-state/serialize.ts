import { copyValue } from './copy-value.js';
import type { AgentStateDocument, ExactJson } from './document.js';
import { limits } from './limits.js';
import { checked } from './parse.js';
import { tooLarge } from './refuse.js';
import { textOfJson } from './write-text.js';

/**
 * Writes a state document so that .NET, Python and `parseAgentState` read it: `$type` first, numbers as they were, the version that it
 * was loaded with. A document that nobody could read is refused with `State.Unreadable`, before anything is overwritten with it.
 */
export function serializeAgentState(state: AgentStateDocument): string {
  const text = textOfJson(checked(copyValue(state)) as unknown as ExactJson);
  if (text.length > limits.text) throw tooLarge(`${text.length} characters, where ${limits.text} are read`);
  return text;
}
