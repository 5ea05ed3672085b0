import type { Content, Message } from '../contract/message.js';
import { isTurn, type AgentStateDocument, type ExactJson, type OtherKind, type StateContent, type StateMessage } from './document.js';
import { kinds } from './kinds.js';
import { plain } from './plain.js';

/** A message of a state document, and the entry that it stands in. */
export interface StatedMessage {
  message: Message;
  in: 'request' | 'response';
  correlationId: string;
  /** Of the message; of its entry when it has none of its own. */
  createdAt: string;
}

/**
 * What has been said, in order, as a model can be shown it: numbers are rounded, contents of later releases are `unknown`, and entries
 * of other kinds, such as a compaction, are left out. The document stays the truth.
 */
export function messagesOfState({ data }: AgentStateDocument): StatedMessage[] {
  return data.conversationHistory.filter(isTurn).flatMap((entry) =>
    entry.messages.map((message) => ({
      message: transcribed(message),
      in: entry.$type,
      correlationId: entry.correlationId,
      createdAt: message.createdAt ?? entry.createdAt,
    })),
  );
}

function transcribed({ contents, ...members }: StateMessage): Message {
  return { ...(plain(members as ExactJson) as Omit<StateMessage, 'contents'>), contents: contents.map(known) };
}

function known(content: StateContent | OtherKind): Content {
  const json = plain(content as ExactJson);
  return Object.hasOwn(kinds, content.$type) ? (json as Content) : { $type: 'unknown', content: json };
}
