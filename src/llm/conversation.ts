/**
 * What an agent hears, in the order and form that every provider accepts: its own words as `assistant`, those of others as `user`
 * under their names, and each tool call followed at once by its result. The two APIs only differ in how they write it down.
 */
import { callsOf, type Content, type Message } from '../contract/message.js';
import type { HeardMessage, ModelRequest } from './provider.js';

export type Line = { role: 'system'; text: string } | { role: 'user'; parts: Part[] } | { role: 'assistant'; text: string; calls: Call[] };

export interface Call {
  id: string;
  name: string;
  /** As the model wrote them. */
  arguments: string;
  /** What the tool said; a call without a result gets a note, or the provider refuses the whole conversation. */
  result: string;
}

export type Part = { text: string } | { image: string } | { file: string; name: string };

export const noResult = 'There is no result of this call.';

/** The conversation of a request. Instructions come first; what a model cannot read is left out. */
export function linesOf(request: ModelRequest): Line[] {
  const lines: Line[] = request.instructions.trim() === '' ? [] : [{ role: 'system', text: request.instructions }];
  const calls = new Calls();
  for (const heard of request.messages) {
    calls.answer(heard.message);
    const line = lineOf(heard, request.agent, calls);
    if (line) lines.push(line);
  }
  return lines;
}

function lineOf(heard: HeardMessage, agent: string, calls: Calls): Line | undefined {
  const { message } = heard;
  if (message.role === 'system') {
    const text = joined(message.contents, '\n');
    return text === '' ? undefined : { role: 'system', text };
  }
  if (isOwn(message, agent)) {
    const text = joined(message.contents, '');
    const made = calls.open(heard);
    return text === '' && made.length === 0 ? undefined : { role: 'assistant', text, calls: made };
  }
  if (message.role === 'tool') return undefined;
  const parts = partsOf(message);
  return parts.length === 0 ? undefined : { role: 'user', parts: signed(parts, message.authorName) };
}

/** What it said itself; the words of others are heard as a user's. */
export function isOwn({ role, authorName }: Message, agent: string): boolean {
  return role === 'assistant' && (authorName === undefined || authorName === agent);
}

/** Said to it, by whomever: neither its own words, nor a system's or a tool's. */
export function isForeign(message: Message, agent: string): boolean {
  return message.role !== 'system' && message.role !== 'tool' && !isOwn(message, agent);
}

/** Pairs calls with results by id, each result with the oldest call that waits for it. Results that nobody waits for are dropped. */
class Calls {
  private readonly waiting = new Map<string, Call[]>();
  private readonly taken = new Set<string>();

  open({ message, rawArguments }: HeardMessage): Call[] {
    return callsOf(message).map((content) => {
      const call: Call = {
        id: freeId(content.callId, this.taken),
        name: content.name,
        arguments: rawArguments?.[content.callId] ?? JSON.stringify(content.arguments ?? {}),
        result: noResult,
      };
      this.waiting.set(content.callId, [...(this.waiting.get(content.callId) ?? []), call]);
      return call;
    });
  }

  answer(message: Message): void {
    for (const content of message.contents) {
      if (content.$type !== 'functionResult') continue;
      const call = this.waiting.get(content.callId)?.shift();
      if (call) call.result = typeof content.result === 'string' ? content.result : JSON.stringify(content.result ?? null);
    }
  }
}

/** `wanted`, or the first of `wanted_2`, `wanted_3` … that is not taken yet; takes it. */
export function freeId(wanted: string, taken: Set<string>): string {
  let id = wanted;
  for (let n = 2; taken.has(id); n++) id = `${wanted}_${n}`;
  taken.add(id);
  return id;
}

function joined(contents: Content[], separator: string): string {
  return contents.flatMap((content) => (content.$type === 'text' && content.text ? [content.text] : [])).join(separator);
}

function partsOf(message: Message): Part[] {
  const parts = message.contents.map(partOf).filter((part) => part !== undefined);
  return parts.every((part) => 'text' in part && part.text.trim() === '') ? [] : parts;
}

function partOf(content: Content): Part | undefined {
  switch (content.$type) {
    case 'text':
      return content.text ? { text: content.text } : undefined;
    case 'data':
      return mediaPart(content.uri, content.mediaType ?? /^data:([^;,]+)/.exec(content.uri)?.[1] ?? 'application/octet-stream');
    case 'uri':
      return mediaPart(content.uri, content.mediaType);
    case 'hostedFile':
      return { text: `[A file that cannot be shown here: ${content.fileId}]` };
    default:
      return undefined;
  }
}

function mediaPart(uri: string, mediaType: string): Part | undefined {
  if (uri === '') return undefined;
  if (mediaType.startsWith('image/')) return { image: uri };
  if (!uri.startsWith('data:')) return { text: `[A file: ${uri}]` };
  return { file: uri, name: `file.${/\/(?:x-)?([a-z0-9]+)/i.exec(mediaType)?.[1] ?? 'bin'}` };
}

/** A model tells speakers apart by their names: all of them have the role `user`. */
function signed(parts: Part[], author: string | undefined): Part[] {
  const name = author?.replace(/\s+/g, ' ').trim();
  if (!name) return parts;
  const [first, ...rest] = parts;
  return first && 'text' in first ? [{ text: `[${name}]\n${first.text}` }, ...rest] : [{ text: `[${name}]` }, ...parts];
}
