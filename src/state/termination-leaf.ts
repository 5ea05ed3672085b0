/** What each condition makes of what it sees: why it fires, or what it remembers. */
import { callsOf, textOf } from '../contract/message.js';
import { spanMs } from '../contract/span.js';
import type { Condition, Fired, TextMention } from '../contract/termination.js';
import type { Entry, Usage } from '../contract/transcript.js';

export type Leaf = Exclude<Condition, { type: 'and' | 'or' }>;

export interface LeafState {
  fired?: Fired;
  /** Of `maxMessages`: how many were said. */
  count?: number;
  /** Of `functionCall`: calls that have no result yet. */
  calls?: string[];
}

/** An entry, when it was said, and the tokens of the whole run up to then. */
export interface Observation {
  entry: Entry;
  /** RFC 3339. */
  at: string;
  usage: Usage;
}

/** A turn of an agent has ended; `turns` is how many have. */
export interface EndedTurn {
  turns: number;
  /** Its ordinal. */
  turn: number;
  usage: Usage;
  /** RFC 3339. */
  at: string;
}

/** More calls without a result are forgotten, the oldest first: those of a turn that failed never get one. */
export const mostCalls = 100;

/** A string is the reason why it fired. */
type Reaction = LeafState | string;

export function seeEntry(leaf: Leaf, state: LeafState, { entry, usage }: Observation): Reaction {
  const { message, turn, ends } = entry;
  switch (leaf.type) {
    case 'maxMessages': {
      if (!isSaid(entry)) return state;
      const count = (state.count ?? 0) + 1;
      return count >= leaf.max ? reached(count, leaf.max, 'message was said', 'messages were said') : { count };
    }
    case 'textMention':
      return isSaid(entry) && mentions(leaf, entry) ? `Text ${quote(leaf.text)} was mentioned by ${speaker(entry)}.` : state;
    case 'stopMessage':
      if (ends?.completed) return `${speaker(entry)} said that the task is done.`;
      return isSaid(entry) && (message as { stop?: unknown }).stop === true ? `A message by ${speaker(entry)} asked to stop.` : state;
    case 'handoffTo':
      return ends?.handoff === leaf.target ? `${speaker(entry)} handed over to ${clip(leaf.target)}.` : state;
    case 'functionCall':
      return seeCalls(leaf.name, state, entry);
    case 'textMessage': {
      const isReply = turn !== undefined && message.role === 'assistant' && callsOf(message).length === 0;
      const fits = leaf.source === undefined || leaf.source === message.authorName;
      return isReply && fits && isSaid(entry) && textOf(message) !== '' ? `${speaker(entry)} replied in words.` : state;
    }
    case 'source':
      return isSaid(entry) && isBy(leaf.sources, entry) ? `${speaker(entry)} spoke.` : state;
    case 'tokenUsage':
      return seeUsage(leaf, state, usage);
    default:
      return state;
  }
}

export function seeTurn(leaf: Leaf, state: LeafState, { turns, usage }: EndedTurn): Reaction {
  if (leaf.type === 'maxTurns' && turns >= leaf.max) return reached(turns, leaf.max, 'turn was taken', 'turns were taken');
  return leaf.type === 'tokenUsage' ? seeUsage(leaf, state, usage) : state;
}

/** Milliseconds. */
export function deadline(leaf: Leaf, startedAt: number): number | undefined {
  const ms = leaf.type === 'timeout' ? spanMs(leaf.after) : undefined;
  return ms === undefined ? undefined : startedAt + ms;
}

/** Where in the tree. */
export function pathTo(path: string, index: number): string {
  return `${path === '' ? '' : `${path}.`}conditions[${index}]`;
}

/** At most a hundred characters. */
export function clip(text: string): string {
  return text.length > 100 ? `${text.slice(0, 99).replace(/[\uD800-\uDBFF]$/, '')}…` : text;
}

export function quote(text: string): string {
  return JSON.stringify(clip(text));
}

/** Heard by everybody, and no tool traffic. */
function isSaid({ message, audience }: Entry): boolean {
  return audience === undefined && message.role !== 'tool' && (callsOf(message).length === 0 || textOf(message) !== '');
}

function mentions({ text, sources, includeTask, caseSensitive }: TextMention, entry: Entry): boolean {
  if (entry.turn === undefined && !includeTask) return false;
  if (sources && !isBy(sources, entry)) return false;
  const said = textOf(entry.message);
  return caseSensitive === false ? said.toLowerCase().includes(text.toLowerCase()) : said.includes(text);
}

function isBy(sources: readonly string[], { message }: Entry): boolean {
  return message.authorName !== undefined && sources.includes(message.authorName);
}

/** Ids of calls are unique within a turn; two agents that speak side by side may use the same. */
function seeCalls(name: string, state: LeafState, entry: Entry): Reaction {
  const keyOf = (callId: string) => `${entry.turn ?? ''}/${callId}`;
  let calls = state.calls ?? [];
  for (const content of entry.message.contents) {
    if (content.$type === 'functionCall') {
      const key = keyOf(content.callId);
      calls = calls.filter((call) => call !== key);
      if (content.name === name) calls = [...calls, key].slice(-mostCalls);
    } else if (content.$type === 'functionResult' && calls.includes(keyOf(content.callId))) {
      return `Function ${quote(name)} was called by ${speaker(entry)} and has answered.`;
    }
  }
  return calls.length > 0 ? { calls } : {};
}

function seeUsage(leaf: Extract<Leaf, { type: 'tokenUsage' }>, state: LeafState, usage: Usage): Reaction {
  const counts = [
    { name: 'in total', used: usage.totalTokens, most: leaf.total },
    { name: 'of input', used: usage.inputTokens, most: leaf.input },
    { name: 'of output', used: usage.outputTokens, most: leaf.output },
  ];
  const over = counts.filter(({ used, most }) => most !== undefined && used >= most);
  if (over.length === 0) return state;
  return `Tokens were used up: ${over.map(({ name, used, most }) => `${used} ${name}, of ${most}`).join('; ')}.`;
}

function reached(count: number, max: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}, ${count > max ? `and ${max} are the most allowed` : 'the most allowed'}.`;
}

function speaker({ message }: Entry): string {
  return clip(message.authorName ?? message.role);
}
