/** A reply as it comes in, piece by piece, and the whole message at its end. The same for both APIs. */
import type { JsonObject } from '../contract/json.js';
import { callsOf, type Content } from '../contract/message.js';
import { addUsage, noUsage, type Usage } from '../contract/transcript.js';
import { fail } from '../contract/failure.js';
import { freeId } from './conversation.js';
import type { CallOptions, ModelRequest, ModelResponse } from './provider.js';

export interface CallDraft {
  id: string;
  name: string;
  /** Joined fragments of JSON. */
  arguments: string;
}

type Piece = { $type: 'text' | 'reasoning'; text: string } | { $type: 'call'; draft: CallDraft };

export class Reply {
  /** What the endpoint calls itself. */
  model?: string;
  /** As the provider wrote it; absent while the reply is not complete. */
  finishReason?: string;
  private refused = false;
  private readonly pieces: Piece[] = [];
  private tokens: Usage = { ...noUsage, modelCalls: 1 };

  constructor(private readonly onDelta?: CallOptions['onDelta']) {}

  text(delta: unknown): void {
    this.words('text', delta);
  }

  reasoning(delta: unknown): void {
    this.words('reasoning', delta);
  }

  /** A refusal is what the model says. */
  refusal(delta: unknown): void {
    if (this.words('text', delta)) this.refused = true;
  }

  /** A new call, after everything said so far; its fields are filled as they come. */
  call(): CallDraft {
    const draft: CallDraft = { id: '', name: '', arguments: '' };
    this.pieces.push({ $type: 'call', draft });
    return draft;
  }

  /** What the endpoint counted up to now: the last word counts. Absent or partial counts are taken as far as they go. */
  usage(input: unknown, output: unknown, total: unknown): void {
    const [inputTokens, outputTokens] = [countOf(input), countOf(output)];
    this.tokens = { inputTokens, outputTokens, totalTokens: countOf(total) || inputTokens + outputTokens, modelCalls: 1 };
  }

  /** No words and no calls. */
  get isEmpty(): boolean {
    return this.pieces.every((piece) => piece.$type === 'reasoning' || (piece.$type === 'text' && piece.text.trim() === ''));
  }

  /** The whole reply. `earlier` is a reply that was empty: its tokens are paid for as well. */
  build(request: ModelRequest, earlier?: Reply): ModelResponse {
    const { contents, rawArguments } = this.contents(idsIn(request));
    return {
      message: { role: 'assistant', contents },
      facts: {
        model: this.model || request.model,
        finishReason: this.finished(contents.some(({ $type }) => $type === 'functionCall')),
        usage: earlier ? addUsage(earlier.tokens, this.tokens) : this.tokens,
      },
      ...(Object.keys(rawArguments).length > 0 && { rawArguments }),
    };
  }

  /** Fails unless the provider said that this is the end, and a good one. */
  assertComplete(): void {
    if (this.finishReason === undefined)
      throw fail('Model.Malformed', 'The reply broke off: the stream ended without a finish reason. Another attempt may help.');
    if (this.finishReason === 'content_filter')
      throw fail('Model.Refused', "The provider's content filter stopped the reply. Change what is asked.");
    if (this.finishReason === 'error')
      throw fail('Model.Unavailable', 'The provider failed in the middle of the reply. Another attempt may help.');
  }

  private words($type: 'text' | 'reasoning', delta: unknown): boolean {
    if (typeof delta !== 'string' || delta === '') return false;
    const last = this.pieces.at(-1);
    if (last?.$type === $type) last.text += delta;
    else this.pieces.push({ $type, text: delta });
    this.onDelta?.($type === 'text' ? { text: delta } : { text: delta, kind: 'reasoning' });
    return true;
  }

  private contents(taken: Set<string>): { contents: Content[]; rawArguments: { [callId: string]: string } } {
    const contents: Content[] = [];
    const rawArguments: { [callId: string]: string } = {};
    let number = 0;
    for (const piece of this.pieces) {
      if (piece.$type !== 'call') {
        if (piece.text.trim() !== '') contents.push(piece);
        continue;
      }
      number += 1;
      const { draft } = piece;
      const callId = freeId(draft.id || freeNumber(number, taken), taken);
      const parsed = parseArguments(draft.arguments, this.finishReason === 'length' && piece === this.pieces.at(-1));
      if (!parsed) rawArguments[callId] = draft.arguments;
      contents.push({ $type: 'functionCall', callId, name: draft.name, arguments: parsed ?? {} });
    }
    return { contents, rawArguments };
  }

  /** Endpoints differ in what they say about a reply with calls or a refusal; readers of a run do not need to know. */
  private finished(hasCalls: boolean): string {
    const reason = this.finishReason ?? 'stop';
    if (reason === 'stop' || reason === 'tool_calls' || reason === 'function_call') {
      return hasCalls ? 'tool_calls' : this.refused ? 'refusal' : 'stop';
    }
    return reason;
  }
}

/** The arguments, or `undefined` when they are no JSON object. Nothing at all means none, unless the reply was cut right there. */
function parseArguments(text: string, cut: boolean): JsonObject | undefined {
  if (text.trim() === '') return cut ? undefined : {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

/** Call ids are unique in a conversation, whatever the endpoint does: results find their calls by them. */
function idsIn(request: ModelRequest): Set<string> {
  const heard = request.messages.flatMap(({ message }) => callsOf(message).map(({ callId }) => callId));
  return new Set([...(request.earlierCalls ?? []), ...heard]);
}

/** `call_1`, `call_2` …: the same on every attempt. */
function freeNumber(from: number, taken: ReadonlySet<string>): string {
  let number = from;
  while (taken.has(`call_${number}`)) number += 1;
  return `call_${number}`;
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? Math.round(value) : 0;
}
