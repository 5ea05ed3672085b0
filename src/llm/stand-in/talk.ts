/** Who said what in a conversation: people, colleagues, the agent itself, and the run that leads them. */
import type { HttpModelMessage } from '../http-model.js';

export interface Line {
  /** Empty: from outside, or from the run itself. Of the agent's own words too. */
  name: string;
  isOwn: boolean;
  text: string;
  kind: 'words' | 'handover' | 'briefing' | 'instruction' | 'notice';
  /** Agents that were handed over to beside these words. */
  handedTo: string[];
}

/** Read again by whoever is handed over to: who has the conversation already cannot be given it back. */
export function handoverWords(to: string, reason: string): string {
  return `I hand over to ${to}: ${reason}`;
}

const handover = /^I hand over to ([\w.-]+): /;

/** What a manager tells the next speaker; the work is then done as if it had been asked for from outside. */
export function instructionWords(to: string, part: string, task: string): string {
  return `Your part, ${to}: ${part}\nThe task: ${task}`;
}

const instruction = /^Your part, [\w.-]+: (.*)/;
/** A team is told its plan. */
const briefing = /^(?:The task:\n([\s\S]*?)\n\n)?We work on the task together\./;
const notice = /^(?:Nobody answers for the moment\.|Nobody has answered\.)/;

/** Said for want of a text; nobody can work on that either. */
export const noText = 'There is no text here to work on, and a stand-in knows nothing of the world.';

export function talkOf(messages: HttpModelMessage[]): Line[] {
  const lines = messages.filter(({ role }) => role === 'user' || role === 'assistant').map(lineOf);
  return lines.filter(({ text, handedTo }) => text !== '' || handedTo.length > 0);
}

function lineOf({ role, content, calls = [] }: HttpModelMessage): Line {
  const [mark = '', name = ''] = role === 'user' ? (/^\[([^\]\n]{1,80})\](?:\n|$)/.exec(content) ?? []) : [];
  const text = content.slice(mark.length).trim();
  const handedTo = calls.flatMap((call) => /^transfer_to_(.+)$/.exec(call.name)?.[1] ?? []);
  return { name, isOwn: role === 'assistant', text, kind: kindOf(text, name, role), handedTo };
}

function kindOf(text: string, name: string, role: string): Line['kind'] {
  if (handover.test(text)) return 'handover';
  if (role !== 'user' || name !== '') return 'words';
  if (briefing.test(text)) return 'briefing';
  if (instruction.test(text)) return 'instruction';
  return notice.test(text) ? 'notice' : 'words';
}

/** What the agent was told to do, by a manager who spoke last. */
export function partOf(lines: Line[]): string | undefined {
  const last = lines.at(-1);
  return last?.kind === 'instruction' ? instruction.exec(last.text)?.[1] : undefined;
}

/** The messages without what only says who does what and when, so that what remains is the matter itself. */
export function matterOf(messages: HttpModelMessage[]): HttpModelMessage[] {
  return messages.flatMap((message) => {
    if (message.role !== 'user' && message.role !== 'assistant') return [message];
    const { kind, name, text } = lineOf(message);
    if (kind === 'words') return message.role === 'user' && name !== '' && text.startsWith(noText) ? [] : [message];
    if (message.role === 'assistant') return [{ ...message, content: '' }];
    const task = kind === 'briefing' ? (briefing.exec(message.content)?.[1] ?? '') : '';
    return task === '' ? [] : [{ ...message, content: task }];
  });
}

/** What was said last from outside, and where; with a name only when that is nobody of the team. */
export function lastFromOutside(lines: Line[], team: Iterable<string>): { text: string; at: number } | undefined {
  const agents = new Set([...team, ...lines.filter(({ kind }) => kind === 'handover').map(({ name }) => name)]);
  agents.delete('');
  const at = lastIndex(lines, ({ name, isOwn, kind }) => !isOwn && kind === 'words' && !agents.has(name));
  const line = lines[at];
  return line && { text: line.text, at };
}

/** -1 when there is none. */
export function lastIndex<T>(list: readonly T[], is: (item: T) => boolean): number {
  return list.map(is).lastIndexOf(true);
}

const conditional =
  /(?:\b(?:not|cannot|never|until|before|unless|once|if|when)|n['’]t)\b[^.!?]{0,40}\b(?:approve|done|good|finished)|\bapprove\w*\b[^.!?]{0,40}\b(?:until|before|unless|once|if|when|after)\b/i;

/** They say that nothing is left to do. */
export function approves(text: string): boolean {
  if (conditional.test(text)) return false;
  if (/\bAPPROVED\b/.test(text)) return true;
  // In a longer text such words are part of the matter.
  return (
    text.length <= 400 &&
    /\bapproved?\b|\blooks good\b|\bLGTM\b|\b(?:no|without) (?:further|more|other) (?:changes?|remarks?|comments?)\b|\bnothing (?:more |left |else )?to (?:add|change|do)\b|^\W*(?:done|agreed|finished)\b|\b(?:is|are|am|all|we['’]re|I['’]m) (?:done|finished)\b|\bready to (?:publish|ship|go)\b/i.test(
      text,
    )
  );
}

/** For a sentence: the beginning of a text, on one line. */
export function inShort(text: string, length = 200): string {
  const line = text.replace(/\s+/g, ' ').trim();
  if (line.length <= length) return line;
  return `${line.slice(0, length).replace(/\s+\S*$/, '')} …`;
}
