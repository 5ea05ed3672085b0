/**
 * An agent's state document, as .NET and Python read it (durable-agent-entity-state 1.1.0): a projection of the transcript. What an
 * agent heard since its last turn is a *request*, what it did in the turn is a *response*. Safe in the workflow sandbox.
 */
import type { ContractUsage, Message } from '../contract/message.js';
import { jsonBytes, sizes } from '../contract/size.js';
import { addUsage, hears, type Entry, type Inherited, type TurnOpening } from '../contract/transcript.js';
import { contractTime } from '../contract/timestamp.js';
import { asHeard, asProduced, asWritten } from './contract-message.js';

export const agentStateVersion = '1.1.0';

export interface AgentStateDocument {
  schemaVersion: typeof agentStateVersion;
  data: { conversationHistory: AgentStateEntry[] };
}

export type AgentStateEntry = AgentStateRequest | AgentStateResponse;

/** What an agent was told before a turn. One without a response is a turn that still goes on. */
export interface AgentStateRequest {
  $type: 'request';
  correlationId: string;
  createdAt: string;
  messages: Message[];
  responseType: 'text';
}

/** Everything that an agent said and did in a turn. */
export interface AgentStateResponse {
  $type: 'response';
  correlationId: string;
  createdAt: string;
  messages: Message[];
  usage?: ContractUsage;
}

export interface AgentStatePage {
  schemaVersion: typeof agentStateVersion;
  /** Number of entries in the whole document. */
  length: number;
  /** Position of the first entry of this page. */
  from: number;
  entries: AgentStateEntry[];
  /** Positions of entries too large for any page: they are here without messages. The whole document has them. */
  cut?: number[];
  /** Ask again with this `after`; absent at the end. */
  next?: number;
}

export interface AgentStatePaging {
  /** How many entries to leave out from the beginning. @default 0 */
  after?: number;
  /** @default 100 */
  limit?: number;
  /** @default sizes.page */
  maxBytes?: number;
}

/**
 * An agent's whole document. `from` is the position of the first entry given: of what comes before it, nothing is in the document.
 * Messages are taken as they are; for a document that others can go on with, give entries whose previews have been made whole.
 * `inherited`: the first entries are another run's, whose agents are others, whatever they are called.
 */
export function projectAgentState(entries: readonly Entry[], agent: string, from = 0, inherited?: Inherited): AgentStateDocument {
  return {
    schemaVersion: agentStateVersion,
    data: { conversationHistory: outline(entries, agent, from, inherited).map((project) => project()) },
  };
}

/** Some entries of the document, as many as fit. */
export function pageAgentState(
  entries: readonly Entry[],
  agent: string,
  { after = 0, limit = 100, maxBytes = sizes.page }: AgentStatePaging = {},
  from = 0,
): AgentStatePage {
  const all = outline(entries, agent, from);
  const start = Math.min(after, all.length);
  const page: AgentStateEntry[] = [];
  const cut: number[] = [];
  let room = maxBytes;
  for (const project of all.slice(start, start + Math.max(1, limit))) {
    const whole = project();
    const isTooLarge = jsonBytes(whole) > maxBytes;
    const entry = isTooLarge ? { ...whole, messages: [] } : whole;
    const bytes = jsonBytes(entry);
    if (bytes > room && page.length > 0) break;
    if (isTooLarge) cut.push(start + page.length);
    page.push(entry);
    room -= bytes;
  }
  const next = start + page.length;
  return {
    schemaVersion: agentStateVersion,
    length: all.length,
    from: start,
    entries: page,
    ...(cut.length > 0 && { cut }),
    ...(next < all.length && { next }),
  };
}

interface Turn {
  ordinal: number;
  opening: TurnOpening;
  /** What was said before this position was heard in an earlier turn. */
  since: number;
  entries: Entry[];
  isOver: boolean;
}

/** The entries of the document, not made yet: a page of a long one needs few of them. Later ones only ever come behind. */
function outline(entries: readonly Entry[], agent: string, from: number, inherited?: Inherited): (() => AgentStateEntry)[] {
  const turns = turnsOf(entries, agent, from, inherited);
  const own = new Set(turns.map(({ ordinal }) => ordinal));
  return turns.flatMap((turn) => {
    const request = () => requestOf(turn, heardIn(turn, entries, own, from, inherited));
    return turn.isOver ? [request, () => responseOf(turn)] : [request];
  });
}

function turnsOf(entries: readonly Entry[], agent: string, from: number, inherited?: Inherited): Turn[] {
  const turns = new Map<number, Turn>();
  let since = from;
  let last: Turn | undefined;
  for (const entry of entries.slice(Math.max((inherited?.length ?? 0) - from, 0))) {
    const { turn: ordinal, opens } = entry;
    if (ordinal === undefined) continue;
    if (opens?.agent === agent && !turns.has(ordinal)) {
      // An agent takes its turns one after another: what an earlier one still wanted to do was not done.
      if (last) last.isOver = true;
      last = { ordinal, opening: opens, since, entries: [], isOver: false };
      turns.set(ordinal, last);
      since = Math.max(since, opens.start);
    }
    const turn = turns.get(ordinal);
    if (!turn) continue;
    turn.entries.push(entry);
    turn.isOver = turn !== last || isEnd(entry);
  }
  return [...turns.values()];
}

/** The end of a turn: the agent has spoken and calls nothing, or has made a move in the pattern. */
function isEnd({ message, ends }: Entry): boolean {
  if (ends) return true;
  return message.role === 'assistant' && !message.contents.some(({ $type }) => $type === 'functionCall');
}

/** What was said to the agent since its turn before this one. */
function heardIn(
  { ordinal, opening, since }: Turn,
  entries: readonly Entry[],
  own: ReadonlySet<number>,
  from: number,
  inherited?: Inherited,
): Entry[] {
  const turn = { agent: opening.agent, ordinal, start: opening.start, ...(inherited && { inherited }) };
  // A turn that began before the entries given is known by its author alone.
  const isOwn = (entry: Entry, position: number) =>
    entry.turn !== undefined && position >= (inherited?.length ?? 0) && (own.has(entry.turn) || entry.message.authorName === opening.agent);
  return (
    entries
      .slice(since - from, Math.max(since, opening.start) - from)
      // What came with a document is in that document.
      .filter((entry, i) => !entry.imported && !isOwn(entry, since + i) && hears(turn, entry, since + i))
  );
}

function requestOf({ opening, entries }: Turn, heard: readonly Entry[]): AgentStateRequest {
  return {
    $type: 'request',
    correlationId: opening.id,
    createdAt: contractTime(opening.at),
    messages: [
      ...heard.flatMap(({ turn, message }) => (turn === undefined ? asWritten(message) : (asHeard(message) ?? []))),
      ...entries.slice(0, firstProduced(entries)).map(({ message }) => asWritten(message)),
    ],
    responseType: 'text',
  };
}

function responseOf({ opening, entries }: Turn): AgentStateResponse {
  const answered = new Set(
    entries.flatMap(({ message }) => message.contents.flatMap((content) => (content.$type === 'functionResult' ? content.callId : []))),
  );
  const produced = entries.slice(firstProduced(entries)).flatMap(({ message }) => asAnswered(message, answered) ?? []);
  const messages = produced.map((message) => asProduced(message, opening.agent));
  const usage = usageOf(entries);
  return {
    $type: 'response',
    correlationId: opening.id,
    createdAt: messages.at(-1)?.createdAt ?? contractTime(opening.at),
    messages,
    ...(usage && { usage }),
  };
}

/** A turn may begin with what only it was told. */
function firstProduced(entries: readonly Entry[]): number {
  const first = entries.findIndex(({ message: { role } }) => role === 'assistant' || role === 'tool');
  return first === -1 ? entries.length : first;
}

/** Without calls that never had a result: no model could be asked to go on after them. `undefined` when nothing is left. */
function asAnswered(message: Message, answered: ReadonlySet<string>): Message | undefined {
  const contents = message.contents.filter((content) => content.$type !== 'functionCall' || answered.has(content.callId));
  return contents.length > 0 || message.contents.length === 0 ? { ...message, contents } : undefined;
}

function usageOf(entries: readonly Entry[]): ContractUsage | undefined {
  const usages = entries.flatMap(({ reply }) => reply?.usage ?? []);
  if (usages.length === 0) return undefined;
  const { inputTokens, outputTokens, totalTokens } = usages.reduce(addUsage);
  return { inputTokenCount: inputTokens, outputTokenCount: outputTokens, totalTokenCount: totalTokens };
}
