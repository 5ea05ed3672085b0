/**
 * What is left of a conversation that is too long: its newest messages, and whatever is pinned. A call and its results stay or go
 * together, because providers refuse one without the other.
 */
import { callsOf } from '../contract/message.js';
import { isForeign, isOwn } from './conversation.js';
import type { HeardMessage, ModelRequest } from './provider.js';
import { fixedTokens, tokensOfMessage } from './tokens.js';

export interface Room {
  /** System messages do not count. */
  messages?: number;
  /** Of the whole request. */
  tokens?: number;
  /** Tokens of the provider for one of our estimate. @default 1 */
  scale?: number;
}

/** Messages that belong together, from the first to before the last. */
export interface Block {
  from: number;
  to: number;
}

/**
 * Where to cut, so that what follows has room together with what is pinned before it: the index of the first message that is kept. The last
 * block is always kept, and what is kept begins with something that was said to the agent, if there is such a thing.
 */
export function cutFor(request: ModelRequest, { messages: most = Infinity, tokens = Infinity, scale = 1 }: Room): number {
  const { messages, agent } = request;
  const pinned = messages.filter((heard) => heard.pinned);
  let room = {
    messages: most - pinned.filter(({ message }) => message.role !== 'system').length,
    tokens: tokens - scale * (fixedTokens(request) + sumOf(pinned)),
  };
  const blocks = blocksOf(messages, agent);
  let first = blocks.length;
  for (const [i, block] of [...blocks.entries()].reverse()) {
    const loose = messages.slice(block.from, block.to).filter((heard) => !heard.pinned);
    const left = { messages: room.messages - loose.length, tokens: room.tokens - scale * sumOf(loose) };
    if (first < blocks.length && loose.length > 0 && (left.messages < 0 || left.tokens < 0)) break;
    room = left;
    first = i;
  }
  return blocks[firstHeard(messages, blocks, first, agent)]?.from ?? 0;
}

/** Some models refuse a conversation that begins with their own words. */
function firstHeard(messages: readonly HeardMessage[], blocks: readonly Block[], first: number, agent: string): number {
  if (first === 0) return 0;
  const isSaidToIt = ({ message }: HeardMessage) => isForeign(message, agent);
  const before = messages.slice(0, blocks[first]?.from).filter((heard) => heard.pinned);
  if (before.some(isSaidToIt)) return first;
  const next = blocks.findIndex(({ from, to }, i) => i >= first && messages.slice(from, to).some(isSaidToIt));
  return next === -1 ? first : next;
}

/** The messages from a cut on, and what is pinned before it. */
export function keptFrom(messages: readonly HeardMessage[], cut: number): HeardMessage[] {
  return messages.filter((heard, i) => i >= cut || heard.pinned);
}

/** The request with as much of its conversation as there is room for. */
export function fitted(request: ModelRequest, room: Room): ModelRequest {
  const cut = cutFor(request, room);
  const messages = keptFrom(request.messages, cut);
  if (messages.length === request.messages.length) return request;
  const gone = request.messages.filter((heard, i) => i < cut && !heard.pinned).flatMap(({ message }) => callsOf(message));
  return { ...request, messages, earlierCalls: [...(request.earlierCalls ?? []), ...gone.map(({ callId }) => callId)] };
}

/** The smallest stretches that can be cut between: pairs are found as `linesOf` finds them, each result with the oldest call that waits for it. */
export function blocksOf(messages: readonly HeardMessage[], agent: string): Block[] {
  const waiting = new Map<string, number[]>();
  const end = messages.map((_, i) => i);
  for (const [i, { message }] of messages.entries()) {
    for (const content of message.contents) {
      const call = content.$type === 'functionResult' ? waiting.get(content.callId)?.shift() : undefined;
      if (call !== undefined) end[call] = i;
    }
    if (!isOwn(message, agent)) continue;
    for (const { callId } of callsOf(message)) waiting.set(callId, [...(waiting.get(callId) ?? []), i]);
  }
  const blocks: Block[] = [];
  for (let from = 0; from < messages.length;) {
    let to = from + 1;
    for (let i = from; i < to; i++) to = Math.max(to, (end[i] as number) + 1);
    blocks.push({ from, to });
    from = to;
  }
  return blocks;
}

function sumOf(messages: readonly HeardMessage[]): number {
  return messages.reduce((sum, heard) => sum + tokensOfMessage(heard), 0);
}
