/** What a request is about: who asks what, over which text. */
import type { HttpModelMessage } from '../http-model.js';
import { sentencesOf } from './reading.js';

export interface Scene {
  instructions: string;
  /** What is asked, without the text that it is asked about. */
  ask: string;
  /** The text to work on: the longest that came from outside, without what is asked about it. */
  document: string;
  /** What another agent, or this one, made of it last. */
  draft: string;
  /** What was said before the last message. */
  earlier: string[];
  /** What tools said since the last message. */
  results: { tool: string; text: string }[];
  /** The last message is asked about what was said before. */
  isFollowUp: boolean;
  isQuestion: boolean;
  /** It tells somebody to do something. */
  isTask: boolean;
  /** There is a text to work on. */
  isLong: boolean;
}

/** Shorter than this is a remark, longer is a text. */
const textLength = 400;

export function sceneOf(messages: HttpModelMessage[]): Scene {
  const instructions = messages
    .filter(({ role }) => role === 'system')
    .map(({ content }) => content)
    .join('\n');
  const said = messages.filter(({ role, content }) => role !== 'system' && role !== 'tool' && content !== '').map(partsOf);
  const spoke = said.map(({ role }) => role === 'assistant').lastIndexOf(true);
  const person = said.map(({ role, author }) => role !== 'assistant' && author === '').lastIndexOf(true);
  // What a person asked since this agent spoke counts more than what colleagues have said to it meanwhile.
  const lastHeard = person > spoke ? person : said.map(({ role }) => role !== 'assistant').lastIndexOf(true);
  const last = said[lastHeard];
  const { task, document } = documentIn(said);
  // A name is a colleague's, whose words are to be worked on, until this agent has said something: then it may be a person's.
  const isFollowUp = last !== undefined && lastHeard > 0 && last.text.length <= textLength && (last.author === '' || spoke >= 0);
  const made = said.filter(
    ({ author, role, text }) => (author !== '' || role === 'assistant') && (!isFollowUp || text.length > textLength / 2),
  );
  const draft = made.filter((line) => line.document !== document).at(-1)?.text ?? '';
  const ask = isFollowUp ? last.text : task;
  return {
    instructions,
    ask,
    document,
    draft,
    earlier: said.slice(0, isFollowUp ? lastHeard : undefined).map(({ text }) => text),
    results: resultsIn(messages),
    isFollowUp,
    isTask: isTask(ask),
    isQuestion:
      /\?\s*$/.test(ask) || /^\s*(?:who|what|when|where|why|how|which|is|are|was|were|do|does|did|can|could|has|have)\b[^.]*$/i.test(ask),
    isLong: document.length > textLength || draft !== '',
  };
}

interface Said {
  role: string;
  /** Of a message that says who wrote it. */
  author: string;
  text: string;
  task: string;
  document: string;
}

function partsOf({ role, content }: HttpModelMessage): Said {
  const [mark = '', author = ''] = role === 'user' ? (/^\[([^\]\n]{1,80})\]\n/.exec(content) ?? []) : [];
  const words = content.slice(mark.length).trim();
  return { role, author, text: words, ...splitTask(words) };
}

/** "Write about this: …" and the text that follows it, or the text and then the question. */
function splitTask(text: string): { task: string; document: string } {
  const bare = text.replace(/^<\/?\w+>$/gm, '').trim();
  if (bare.length <= textLength && !bare.includes('\n\n')) {
    const [, task = '', rest = ''] = /^([^:\n]{3,120}:)\s+(\S.*)$/s.exec(bare) ?? [];
    if (isTask(task)) return { task, document: rest };
    const [first = '', ...facts] = sentencesOf(bare);
    if (isTask(first) && facts.length > 0 && !facts.some(isTask) && facts.join(' ').split(/\s+/).length > 6)
      return { task: first, document: facts.join(' ') };
    return { task: bare, document: isTask(bare) || bare.split(/\s+/).length < 6 ? '' : bare };
  }
  const paragraphs = bare.split(/\n\s*\n/);
  const [first = '', last = ''] = [paragraphs[0], paragraphs.at(-1)];
  if (isTask(first)) return { task: first, document: paragraphs.slice(1).join('\n\n') };
  if (paragraphs.length > 1 && isTask(last)) return { task: last, document: paragraphs.slice(0, -1).join('\n\n') };
  return { task: '', document: bare };
}

export function isTask(paragraph: string): boolean {
  if (paragraph.length > textLength || paragraph.startsWith('#')) return false;
  return (
    /[:?]\s*$/.test(paragraph) ||
    /^(?:please\s+)?(?:analy[sz]e|calculate|choose|classify|compare|compose|condense|create|decide|describe|discuss|draft|edit|explain|extract|find|give|investigate|list|make|outline|prepare|produce|propose|read|recommend|review|rewrite|shorten|study|suggest|summari[sz]e|tell|translate|turn|use|work|write|(?:design|plan|research) (?:an?|the|how|what|my|our))\b/i.test(
      paragraph,
    )
  );
}

/** The longest text from outside the team; words of agents only when there is nothing else. */
function documentIn(said: Said[]): { task: string; document: string } {
  const heard = said.filter(({ role }) => role !== 'assistant');
  const fromOutside = heard.filter(({ author }) => author === '');
  const [longest] = [...(fromOutside.length > 0 ? fromOutside : heard)].sort((a, b) => b.document.length - a.document.length);
  return { task: longest?.task ?? '', document: longest?.document ?? '' };
}

export function resultsIn(messages: HttpModelMessage[]): { tool: string; text: string }[] {
  const after = messages.map(({ role }) => role).lastIndexOf('user');
  const names = new Map(messages.flatMap(({ calls = [] }) => calls.map(({ id, name }): [string, string] => [id, name])));
  return messages
    .slice(after + 1)
    .filter(({ role }) => role === 'tool')
    .map(({ callId = '', content }) => ({ tool: names.get(callId) ?? 'tool', text: content }));
}
