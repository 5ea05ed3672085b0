/** Model providers behind one interface, picked by `provider/model`. */
import type { ToolSpec } from '../contract/agent.js';
import type { JsonObject } from '../contract/json.js';
import type { Message } from '../contract/message.js';
import type { ReplyFacts } from '../contract/transcript.js';

/** One model call, provider-neutral. */
export interface ModelRequest {
  /** Without the provider's name. */
  model: string;
  /** Whose turn it is: messages with this author are its own words, those of others are shown as said by them. */
  agent: string;
  instructions: string;
  messages: HeardMessage[];
  /** Ids of calls that are not among the messages any more: new ones are called otherwise. */
  earlierCalls?: string[];
  tools: ToolSpec[];
  /** The tools are shown but must not be used: the agent has to answer now. */
  mustAnswer?: boolean;
  temperature?: number;
  maxOutputTokens?: number;
  /** JSON schema of the reply. */
  outputSchema?: JsonObject;
}

export interface HeardMessage {
  message: Message;
  /** Arguments that are not a JSON object, by call id, as the model wrote them. */
  rawArguments?: { [callId: string]: string };
  /** It is heard, however little is. */
  pinned?: true;
}

export interface ModelResponse {
  /** Role `assistant`, `authorName` not set: text, reasoning, function calls, in the provider's order. */
  message: Message;
  facts: ReplyFacts;
  /** Arguments that are not a JSON object, by call id. The call in `message` then has `{}`. */
  rawArguments?: { [callId: string]: string };
}

export interface CallOptions {
  signal?: AbortSignal;
  onDelta?: (delta: { text: string; kind?: 'reasoning' }) => void;
}

/** Throws only typed `Model.*` failures (contract/failure.ts), or the signal's reason when aborted. */
export interface ModelProvider {
  complete(request: ModelRequest, options?: CallOptions): Promise<ModelResponse>;
}

/** A provider and how much of it may be used at once, by all workers together. */
export interface ProviderEntry {
  provider: ModelProvider;
  /** Calls started per second. */
  maxCallsPerSecond?: number;
  /** Calls at the same time. */
  maxConcurrentCalls?: number;
}

export interface ModelProviders {
  readonly entries: ReadonlyMap<string, ProviderEntry>;
  /** The model of agents that name none. */
  readonly defaultModel: string;
  /** `provider/model` when the part before the first `/` is a provider's name, else a model of the default provider. */
  resolve(model: string | undefined): { providerName: string; entry: ProviderEntry; model: string };
}
