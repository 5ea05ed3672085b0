/**
 * Compaction: how much of a long conversation an agent hears. The transcript keeps everything that was said; only what is sent to the
 * model grows shorter. Instructions, system messages and the message that is being answered are always heard.
 */
import type { Message } from './message.js';
import type { HearingInput, TurnStep } from './step.js';
import type { TranscriptHead, Usage } from './transcript.js';

/** An agent's policy. One of four. */
export type Compaction =
  /** The last so many messages. A call and its results stay together. */
  | { keepLast: number }
  /** As many of the last messages as fit into so many tokens, instructions and tools included. */
  | { tokens: number }
  /** A model sums up what is old. */
  | { summary: SummaryPolicy }
  /** A registered function says what stands for what is old. */
  | FunctionPolicy;

/** When what is old is replaced, and by how much. */
export interface CompactionThreshold {
  /** Once a request would have more tokens than this, instructions and tools included. */
  over: number;
  /** The last so many messages stay as they are; fewer, where they have more than half of the tokens. @default 10 */
  keepLast?: number;
}

export interface SummaryPolicy extends CompactionThreshold {
  /** `model` or `provider/model`. @default the agent's own */
  model?: string;
  /** What the model is told to do. @default a summary of facts, decisions and open questions */
  instructions?: string;
}

export interface FunctionPolicy extends CompactionThreshold {
  /** Given `{ agent, messages }`, what stood for older ones first; returns a text, a message or a list of messages. */
  function: string;
}

export const defaultKeepLast = 10;

/** What stands for the older part of what an agent has heard, until the next one. It covers what that turn heard before `upTo`. */
export interface CompactionRef {
  /** Position in the transcript. */
  upTo: number;
  /** In the store: the messages that stand for it. */
  blob: string;
  /** Ordinal, and what the turn heard: see `Hearing`. */
  turn: number;
  start: number;
  from?: number;
}

/** The stored document behind `CompactionRef.blob`. */
export interface CompactionDocument {
  messages: Message[];
}

/** Why it was done: the policy's own measure, or the model's. */
export type CompactionReason = 'over' | 'contextLength';

/** Instead of a reply: the conversation is to be compacted first. */
export interface CompactionDue {
  by: 'summary' | 'function';
  reason: CompactionReason;
  upTo: number;
  /** What the request may have afterwards, in tokens. */
  tokens: number;
}

/** The most that a request may have: the oldest is left out, and nothing is compacted any more. `final`: for the last time. */
export interface RequestLimit {
  tokens: number;
  final?: true;
}

export interface CompactInput extends TurnStep, HearingInput {
  due: CompactionDue;
  idempotencyKey: string;
}

export interface CompactOutput {
  blob: string;
  /** How many messages it stands for. */
  messages: number;
  /** Of the model that was asked. */
  usage?: Usage;
  /** The transcript as read, now in the store. */
  head: TranscriptHead;
  attempt?: number;
}
