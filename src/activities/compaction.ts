/** What an agent's policy makes of a request: a shorter one, or first of all a compaction of the conversation, which is a step of its own. */
import { defaultKeepLast, type Compaction, type CompactionDue, type CompactionReason, type RequestLimit } from '../contract/compaction.js';
import { blocksOf, cutFor, fitted, type Room } from '../llm/keep.js';
import type { ModelRequest } from '../llm/provider.js';
import { tokensOf, tokensOfMessage } from '../llm/tokens.js';
import type { Heard } from './hearing.js';

/** A request whose messages know where they are in the transcript. */
export interface HeardRequest extends ModelRequest {
  messages: Heard[];
}

/** A compaction that replaces less than this part of the threshold would soon be followed by another. */
const worthwhile = 0.1;

/** What is too long for the model is made half as long. */
const tighter = 0.5;

/** By what the policy says itself. With a limit nothing is due: the oldest is left out. */
export function compacted(
  policy: Compaction | undefined,
  request: HeardRequest,
  scale: number,
  limit?: RequestLimit,
): { request: HeardRequest } | { due: CompactionDue } {
  if (!policy) return { request };
  if ('tokens' in policy) return { request: shortened(request, { tokens: policy.tokens, scale }) };
  if (!isStep(policy)) return { request: shortened(request, { messages: policy.keepLast }) };
  if (limit) return { request: shortened(request, { tokens: limit.tokens, scale }) };
  const { over } = thresholdOf(policy);
  const isOver = tokensOf(request) * scale > over;
  const due = isOver ? dueOf(policy, request, { reason: 'over', tokens: over, scale, least: over * worthwhile, most: over }) : undefined;
  return due ? { due } : { request };
}

/** The model has said that the request is longer than it can read. `undefined`: it cannot be made shorter. */
export function tightened(
  policy: Compaction | undefined,
  request: HeardRequest,
  scale: number,
  limit?: RequestLimit,
): { request: HeardRequest } | { due: CompactionDue } | undefined {
  if (limit?.final) return undefined;
  const tokens = Math.floor(tokensOf(request) * scale * tighter);
  const due =
    limit || !policy || !isStep(policy)
      ? undefined
      : dueOf(policy, request, { reason: 'contextLength', tokens, scale, least: 0, most: Infinity });
  if (due) return { due };
  const shorter = shortened(request, { tokens, scale });
  return shorter === request ? undefined : { request: shorter };
}

function shortened(request: HeardRequest, room: Room): HeardRequest {
  return fitted(request, room) as HeardRequest;
}

type StepPolicy = Extract<Compaction, { summary: unknown } | { function: unknown }>;

/** One that needs a step of its own. */
function isStep(policy: Compaction): policy is StepPolicy {
  return 'summary' in policy || 'function' in policy;
}

function thresholdOf(policy: StepPolicy) {
  const { over, keepLast = defaultKeepLast } = 'summary' in policy ? policy.summary : policy;
  return { over, keepLast };
}

interface Need {
  reason: CompactionReason;
  /** What the request may have. */
  tokens: number;
  scale: number;
  /** Tokens to replace at once. */
  least: number;
  most: number;
}

/** How far the conversation is to be compacted: of what does not stay as it is, the oldest. `undefined` when that is not worth it. */
function dueOf(policy: StepPolicy, request: HeardRequest, { reason, tokens, scale, least, most }: Need): CompactionDue | undefined {
  const { messages, agent } = request;
  const cut = cutFor(request, { messages: thresholdOf(policy).keepLast, tokens: tokens / 2, scale });
  let upTo: number | undefined;
  let old = 0;
  for (const { from, to } of blocksOf(messages, agent)) {
    if (to > cut || old > most) break;
    for (const heard of messages.slice(from, to)) {
      if (heard.fresh === undefined) continue;
      upTo = heard.fresh + 1;
      old += tokensOfMessage(heard) * scale;
    }
  }
  if (upTo === undefined || old < least) return undefined;
  return { by: 'summary' in policy ? 'summary' : 'function', reason, upTo, tokens };
}
