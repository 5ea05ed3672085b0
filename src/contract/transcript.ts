/**
 * The transcript of a run: one append-only list of entries. Old entries live in the store as immutable *segments*,
 * the newest ones in the workflow as the *tail*. What an agent hears, and each agent's state document, are views of it.
 */
import type { Message } from './message.js';

/** One thing said, with what the message itself cannot hold. */
export interface Entry {
  message: Message;
  /** Ordinal of the turn that produced it; absent for what came from outside the team. */
  turn?: number;
  /** Names of the agents that hear it; absent: everybody. Tool traffic is heard only by the agent that caused it. */
  audience?: string[];
  /** On the first entry of a turn: whose it is, its id (the correlation id), and how much of the transcript it hears. */
  opens?: TurnOpening;
  /** On the last entry of a turn that ended by a move in the pattern instead of a reply. */
  ends?: { handoff?: string; completed?: true };
  /** It was heard or said elsewhere, and came here with a document of the agent that hears it. */
  imported?: true;
  /** On a model's reply. */
  reply?: ReplyFacts;
  /** Arguments that a model wrote but that are not a JSON object, by call id: they are shown to it again as it wrote them. */
  rawArguments?: { [callId: string]: string };
  /** The whole message is in the store under this content hash. */
  blob?: string;
  /** The message here is only a preview: the whole one is `blob`. */
  cut?: true;
  /** Id given by the sender, for messages from outside. */
  id?: string;
}

export interface TurnOpening {
  id: string;
  agent: string;
  /** The turn hears the entries before this position, and its own. */
  start: number;
  /** … and of those before, only the ones from here on. @default 0 */
  from?: number;
  /** RFC 3339. */
  at: string;
}

/** What a run took over from the one that started it. */
export interface Inherited {
  /** So many entries at the beginning are the other run's. */
  length: number;
  /** Of these, what its member of this name heard is heard here. */
  as: string;
  from: number;
  to: number;
  /** It is heard whatever else a turn is to leave out. */
  always?: true;
}

export interface ReplyFacts {
  model: string;
  /** `stop`, `tool_calls`, `length`, `refusal`; others are carried as the provider wrote them. */
  finishReason: string;
  usage: Usage;
  /** Tokens of the request by our own estimate, where the agent's conversation is compacted. */
  estimate?: number;
}

/** Tokens, summed over model calls. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  /** How many model calls it is the sum of. */
  modelCalls: number;
}

/** An immutable stretch of the transcript in the store, named by the hash of its content. */
export interface Segment {
  id: string;
  /** Position of its first entry. */
  from: number;
  count: number;
  bytes: number;
}

/**
 * Everything up to `length` can be read from the store by following `part` back through the parts before it.
 * `null` is the empty transcript.
 */
export type TranscriptHead = { part: string; length: number } | null;

/** What a part holds: entries, and the part before it. A segment is a large part. */
export interface Part {
  previous: TranscriptHead;
  entries: Entry[];
}

/** An entry on its way to an activity: itself, where the store has it, or where the run has it. */
export type EntryRef =
  | { entry: Entry }
  /** Stored by the activity that made it: everything but the message is here. */
  | { stored: Omit<Entry, 'message'> & { blob: string } }
  /** Too large to send: to be read from the run by the `transcript` query, one entry or `count` of them. */
  | { inRun: number; count?: number };

/** A page of the `transcript` query. */
export interface TranscriptPage {
  /** Number of entries in the whole transcript. */
  length: number;
  /** Position of the first entry of this page. */
  from: number;
  entries: Entry[];
  /** Segments that hold the entries asked for but no longer in the workflow. Read them from the store (the client does). */
  segments: Segment[];
  /** Ask again with this `after`, or absent at the end. */
  next?: number;
  /** Of a nested run: whose the first entries are. */
  inherited?: Inherited;
  /** Documents that agents brought along: ids in the store. */
  imports?: { [agent: string]: string };
}

export const noUsage: Usage = { inputTokens: 0, outputTokens: 0, totalTokens: 0, modelCalls: 0 };

export function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    modelCalls: a.modelCalls + b.modelCalls,
  };
}

export interface Hearing {
  agent: string;
  ordinal: number;
  start: number;
  from?: number;
  inherited?: Inherited;
}

/** Who hears what: a turn hears what was said to its agent before it began, and what it said itself. */
export function hears({ agent, ordinal, start, from = 0, inherited }: Hearing, entry: Entry, position: number): boolean {
  if (inherited && position < inherited.length) {
    return position >= Math.max(inherited.always ? 0 : from, inherited.from) && position < inherited.to && isFor(entry, inherited.as);
  }
  if (entry.turn === ordinal) return true;
  return position >= from && position < start && isFor(entry, agent);
}

function isFor({ audience }: Entry, name: string): boolean {
  return audience === undefined || audience.includes(name);
}
