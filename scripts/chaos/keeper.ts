/** The agent of sessions that are saved: what it says depends on what it has heard and on nothing else, in every branch. */
import type { ScriptedCall } from '../../src/testing/index.js';
import type { JsonObject } from '../../src/index.js';

export const keeper = { name: 'keeper', instructions: 'Keep what you hear.', model: 'keeper', tools: ['note'] };

/** `undefined` for models of others. */
export function keeperReply({
  model,
  messages,
}: ScriptedCall): { text?: string; calls?: { name: string; arguments: JsonObject }[] } | undefined {
  if (model !== keeper.model) return undefined;
  const heard = messages.filter(({ role }) => role === 'user').map(({ content }) => content);
  const last = heard.at(-1) ?? '';
  const mustNote = last.startsWith('note ') && messages.at(-1)?.role !== 'tool';
  if (mustNote)
    return {
      calls: [{ name: 'note', arguments: { text: last.slice('note '.length).replaceAll('.', '-').replaceAll('/', '-'), ms: 200 } }],
    };
  return { text: replyTo(heard) };
}

/** To the last of what was said. */
export function replyTo(heard: string[]): string {
  return `${heard.length}: I have heard "${heard.at(-1)}" after "${heard.at(-2) ?? ''}"`;
}
