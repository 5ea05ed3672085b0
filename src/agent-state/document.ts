/**
 * The durable-agent-entity-state as it is read and written. Every object may have more members than its type names: what others have
 * put there is kept. The document of a run, which `export` makes, is one of these.
 */
import type { Content } from '../contract/message.js';
import type { ExactNumber } from './exact-number.js';

export interface AgentStateDocument {
  /** `1.0.0`, `1.1.0`: as it was loaded. */
  schemaVersion: string;
  data: {
    conversationHistory: HistoryEntry[];
    /** Of .NET: when the session is deleted. `null` when never. */
    expirationTimeUtc?: string | null;
  };
}

/** Test `isTurn(entry)` before you rely on the members of a request or response. */
export type HistoryEntry = StateRequest | StateResponse | OtherKind;

/** What an agent was told. One without a response is a turn that still goes on. */
export interface StateRequest {
  $type: 'request';
  /** Empty when it had none. */
  correlationId: string;
  /** As it was written, RFC 3339; Python may leave out the offset. */
  createdAt: string;
  messages: StateMessage[];
  orchestrationId?: string | null;
  responseType?: string | null;
  responseSchema?: ExactJson;
}

/** Everything that an agent said and did in a turn. */
export interface StateResponse {
  $type: 'response';
  correlationId: string;
  createdAt: string;
  messages: StateMessage[];
  usage?: StateUsage;
}

export interface StateMessage {
  role: string;
  authorName?: string;
  createdAt?: string;
  contents: (StateContent | OtherKind)[];
}

export type StateContent =
  | Exclude<Content, { $type: 'functionCall' | 'functionResult' | 'usage' | 'unknown' }>
  | { $type: 'functionCall'; callId: string; name: string; arguments: { [member: string]: ExactJson } }
  | { $type: 'functionResult'; callId: string; result?: ExactJson }
  | { $type: 'usage'; usage: StateUsage }
  | { $type: 'unknown'; content: ExactJson };

export interface StateUsage {
  inputTokenCount?: number | ExactNumber;
  outputTokenCount?: number | ExactNumber;
  totalTokenCount?: number | ExactNumber;
}

/** An entry or a content of a kind that later releases have: kept as it is. */
export interface OtherKind {
  $type: string;
  [member: string]: unknown;
}

/** JSON whose numbers may be kept digit by digit. */
export type ExactJson = string | number | boolean | null | ExactNumber | ExactJson[] | { [member: string]: ExactJson };

export function isTurn(entry: HistoryEntry): entry is StateRequest | StateResponse {
  return entry.$type === 'request' || entry.$type === 'response';
}
