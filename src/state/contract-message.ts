/** Messages as the state contract wants them written (durable-agent-entity-state 1.1.0). Safe in the workflow sandbox. */
import type { Content, Message } from '../contract/message.js';
import { contractTime, isTimestamp } from '../contract/timestamp.js';

/** A message from outside, with everything that it carries. */
export function asWritten({ role, authorName, createdAt, contents, ...rest }: Message): Message {
  return {
    role,
    ...(typeof authorName === 'string' && { authorName }),
    // One unreadable time makes the whole document unreadable in .NET.
    ...(isTimestamp(createdAt) && { createdAt }),
    contents: contents.flatMap(contractContent),
    ...rest,
  };
}

/** What another agent said, as this one heard it: words, no thoughts and no tool traffic. `undefined` when no words are left. */
export function asHeard({ authorName, createdAt, contents }: Message): Message | undefined {
  const heard = contents.filter(({ $type }) => !['reasoning', 'functionCall', 'functionResult', 'usage'].includes($type));
  return heard.length > 0
    ? asWritten({ role: 'user', authorName, createdAt: createdAt && contractTime(createdAt), contents: heard })
    : undefined;
}

/** What the agent itself said, or was told by a tool. */
export function asProduced({ role, createdAt, contents }: Message, agent: string): Message {
  return asWritten({ role, authorName: agent, createdAt: createdAt && contractTime(createdAt), contents });
}

type Kind = Content['$type'];
type Members = { [member: string]: unknown };

/** By kind: the members that have to be there, with what stands in for them, and those that may be. */
const kinds: { [K in Kind]: { required: Members; optional: readonly string[] } } = {
  text: { required: { text: '' }, optional: [] },
  reasoning: { required: {}, optional: ['text'] },
  functionCall: { required: { callId: '', name: '', arguments: {} }, optional: [] },
  functionResult: { required: { callId: '' }, optional: ['result'] },
  error: { required: {}, optional: ['message', 'errorCode', 'details'] },
  data: { required: { uri: '' }, optional: ['mediaType'] },
  uri: { required: { uri: '', mediaType: 'application/octet-stream' }, optional: [] },
  hostedFile: { required: { fileId: '' }, optional: [] },
  hostedVectorStore: { required: { vectorStoreId: '' }, optional: [] },
  usage: { required: { usage: {} }, optional: [] },
  unknown: { required: {}, optional: ['content'] },
};

function contractContent(content: Content): Content[] {
  const { $type, ...members }: Members = content;
  // Readers know these kinds and no others, but anything may travel as `unknown`.
  if (typeof $type !== 'string' || !Object.hasOwn(kinds, $type)) return [{ $type: 'unknown', content: content as never }];
  const { required, optional } = kinds[$type as Kind];
  const known = new Set([...Object.keys(required), ...optional]);
  const kept = Object.entries(members).filter(
    ([name, value]) => value !== undefined && (value !== null || !known.has(name)) && !isIndex(name),
  );
  return readable({ $type, ...required, ...Object.fromEntries(kept) } as Content);
}

/** What the types promise, but data may not keep. */
function readable(content: Content): Content[] {
  switch (content.$type) {
    case 'functionCall':
      return [isObject(content.arguments) ? content : { ...content, arguments: {} }];
    case 'error':
      return [
        content.details === undefined || typeof content.details === 'string'
          ? content
          : { ...content, details: JSON.stringify(content.details) },
      ];
    case 'usage':
      return [{ ...content, usage: Object.fromEntries(Object.entries(content.usage).filter(([, count]) => count !== null)) }];
    case 'unknown':
      // An empty one stops sessions in Python for good.
      return isEmpty(content.content) ? [] : [content];
    default:
      return [content];
  }
}

/** JavaScript writes such members before `$type`, which has to come first. */
function isIndex(name: string): boolean {
  return /^(0|[1-9]\d*)$/.test(name);
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEmpty(value: unknown): boolean {
  return !value || (typeof value === 'object' && Object.keys(value).length === 0);
}
