/**
 * What is said. A message has the shape of Microsoft's durable-agent-entity-state (schema 1.1.0), so that a
 * conversation can move between .NET, Python and TypeScript. `$type` is always written first: their reader needs it there.
 */
import type { Json, JsonObject } from './json.js';

export type Content =
  | { $type: 'text'; text: string }
  | { $type: 'reasoning'; text?: string }
  | { $type: 'functionCall'; callId: string; name: string; arguments: JsonObject }
  | { $type: 'functionResult'; callId: string; result?: Json }
  | { $type: 'error'; message?: string; errorCode?: string; details?: string }
  | { $type: 'data'; uri: string; mediaType?: string }
  | { $type: 'uri'; uri: string; mediaType: string }
  | { $type: 'hostedFile'; fileId: string }
  | { $type: 'hostedVectorStore'; vectorStoreId: string }
  | { $type: 'usage'; usage: ContractUsage }
  | { $type: 'unknown'; content: Json };

export type FunctionCall = Extract<Content, { $type: 'functionCall' }>;
export type FunctionResult = Extract<Content, { $type: 'functionResult' }>;

/** Token counts as the state contract names them. */
export interface ContractUsage {
  inputTokenCount?: number;
  outputTokenCount?: number;
  totalTokenCount?: number;
}

export interface Message {
  /** `user`, `assistant`, `system` or `tool`; others are carried as they are. */
  role: string;
  /** Who said it: an agent's name, or a person's. */
  authorName?: string;
  /** RFC 3339, kept as written. */
  createdAt?: string;
  contents: Content[];
  /** This is only its beginning: the whole message is in the store under this id. */
  artifact?: string;
}

/** A plain string is accepted wherever a message is: it is what a user said. */
export type MessageInput = string | Message;

export function toMessage(input: MessageInput, defaults: { role?: string; createdAt?: string } = {}): Message {
  if (typeof input !== 'string')
    return input.createdAt === undefined && defaults.createdAt ? { ...input, createdAt: defaults.createdAt } : input;
  return {
    role: defaults.role ?? 'user',
    ...(defaults.createdAt && { createdAt: defaults.createdAt }),
    contents: [{ $type: 'text', text: input }],
  };
}

/** The words of a message, without calls, results and reasoning. */
export function textOf(message: Message): string {
  return message.contents.map((content) => (content.$type === 'text' ? content.text : '')).join('');
}

export function callsOf(message: Message): FunctionCall[] {
  return message.contents.filter((content): content is FunctionCall => content.$type === 'functionCall');
}
