/** Who speaks next: whoever was addressed, else whoever has not spoken yet, else whoever spoke longest ago. */
import type { JsonObject } from '../../contract/json.js';
import { escaped } from './deciding.js';
import { given, type Question } from './question.js';
import { approves, lastIndex, type Line } from './talk.js';

export function nextSpeaker(question: Question, options: string[]): JsonObject {
  const { schema, instructions, lines } = question;
  const names = options.filter((name) => name !== '');
  const own = names.find((name) => new RegExp(`\\bYou are (?:an? |the )?${escaped(name)}\\b`, 'i').test(instructions));
  const said = lines.filter(({ kind }) => kind === 'words').map((line) => ({ ...line, name: line.isOwn ? (own ?? '') : line.name }));
  const mayEnd = Object.keys(given(question, 'done', true)).length > 0;
  const end = mayEnd ? reasonToEnd(names, said) : undefined;
  if (end) return { ...(requires(schema, 'speaker') && { speaker: options.at(-1) ?? '' }), done: true, ...given(question, 'reason', end) };
  const { name, reason } = choose(names, said);
  return { ...(mayEnd && { done: false }), speaker: name, ...given(question, 'reason', reason) };
}

function reasonToEnd(names: string[], said: Line[]): string | undefined {
  const last = said.at(-1);
  if (!last || (last.name === '' && !last.isOwn) || said.length < 2) return undefined;
  if (approves(last.text)) return `${last.name || 'The last speaker'} has nothing left to change.`;
  const turns = (name: string) => said.filter((line) => line.name === name).length;
  return names.every((name) => turns(name) >= 2) ? 'Everybody has spoken twice.' : undefined;
}

function choose(names: string[], said: Line[]): { name: string; reason: string } {
  const last = said.at(-1);
  const addressed = last && names.find((name) => name !== last.name && addresses(last.text, name));
  if (addressed !== undefined) return { name: addressed, reason: `${last?.name || 'The task'} speaks to ${addressed}.` };
  const silent = names.find((name) => !said.some((line) => line.name === name));
  if (silent !== undefined) return { name: silent, reason: `${silent} has not spoken yet.` };
  const when = (name: string) => lastIndex(said, (line) => line.name === name);
  const longest = [...names].sort((a, b) => when(a) - when(b))[0] ?? '';
  return { name: longest, reason: `${longest} has been silent longest.` };
}

/** "reviewer, please …", "@reviewer", "over to the reviewer" */
function addresses(text: string, name: string): boolean {
  const who = escaped(name);
  return new RegExp(
    `@${who}\\b|(?:^|[.!?\\n]\\s*)${who}\\s*[,:?]|\\b(?:over to|ask|asking|let) (?:the )?${who}\\b|\\b${who}, (?:please|can|could|what)\\b`,
    'i',
  ).test(text.slice(-4000));
}

function requires(schema: JsonObject, name: string): boolean {
  return Array.isArray(schema['required']) && schema['required'].includes(name);
}
