/** Reads a whole transcript: what is sealed from the store, the rest from the run. */
import { fail } from '../contract/failure.js';
import { textOf, type Message } from '../contract/message.js';
import type { TurnStatus } from '../contract/run.js';
import type { Entry, Part, Segment, TranscriptHead, TranscriptPage } from '../contract/transcript.js';
import type { AgentStateDocument } from '../agent-state/document.js';
import { parseAgentState } from '../agent-state/parse.js';
import { projectAgentState } from '../state/agent-state.js';
import type { RunState } from '../state/run-state.js';
import type { ClientContext } from './context.js';

export type ReadPage = (after: number) => Promise<TranscriptPage>;

export async function readTranscript(context: ClientContext, readPage: ReadPage): Promise<Entry[]> {
  const entries: Entry[] = [];
  for (let after: number | undefined = 0; after !== undefined;) {
    const page: TranscriptPage = await readPage(after);
    for (const segment of page.segments) {
      // Sealing may happen between two pages: a segment is taken from where we are.
      if (segment.from + segment.count > entries.length)
        entries.push(...(await readSegment(context, segment)).slice(entries.length - segment.from));
    }
    entries.push(...page.entries.slice(Math.max(entries.length - page.from, 0)));
    after = page.next;
  }
  return entries;
}

/** What became of a message, with the whole reply, wherever that is. */
export async function withReply(context: ClientContext, readPage: ReadPage, turn: TurnStatus): Promise<TurnStatus> {
  if (turn.status !== 'completed' || (turn.reply !== undefined && !turn.replyArtifact)) return turn;
  if (turn.replyArtifact) return { ...turn, reply: await readArtifact(context, turn.replyArtifact) };
  const reply = turn.position === undefined ? undefined : await readEntry(context, readPage, turn.position);
  return { ...turn, ...(reply !== undefined && { reply }) };
}

/** The state document of an agent, with everything in it whole. */
export async function readAgentState(context: ClientContext, readPage: ReadPage, agent: string): Promise<AgentStateDocument> {
  const entries = await readTranscript(context, readPage);
  return await documentOf(context, entries, agent, await readPage(entries.length));
}

/** The same, as it was in a snapshot. */
export async function stateIn(
  context: ClientContext,
  { transcript, nested, imports }: RunState,
  agent: string,
): Promise<AgentStateDocument> {
  const { inherited } = nested ?? {};
  return await documentOf(context, await readStored(context, transcript.head), agent, {
    ...(inherited && { inherited }),
    ...(imports && { imports }),
  });
}

async function documentOf(
  context: ClientContext,
  entries: Entry[],
  agent: string,
  { inherited, imports = {} }: Pick<TranscriptPage, 'inherited' | 'imports'>,
): Promise<AgentStateDocument> {
  const document = projectAgentState(await wholeEntries(context, entries), agent, 0, inherited);
  const brought = Object.hasOwn(imports, agent) ? await context.store.blobs.get(imports[agent] as string) : undefined;
  if (brought === undefined) return document;
  // What it came with stays as it was, to the letter.
  const before = parseAgentState(brought);
  before.data.conversationHistory.push(...document.data.conversationHistory);
  return before;
}

/** The words of the entry at a position. */
async function readEntry(context: ClientContext, readPage: ReadPage, position: number): Promise<string | undefined> {
  const page = await readPage(position);
  const segment = page.segments.find(({ from, count }) => from <= position && position < from + count);
  const entry = segment ? (await readSegment(context, segment))[position - segment.from] : page.entries[position - page.from];
  if (!entry) return undefined;
  return entry.cut && entry.blob ? await readArtifact(context, entry.blob) : textOf(entry.message);
}

/** Entries whose messages here are only previews, with the whole ones. */
async function wholeEntries(context: ClientContext, entries: Entry[]): Promise<Entry[]> {
  return await Promise.all(
    entries.map(async ({ cut, ...entry }) => (cut && entry.blob ? { ...entry, message: await readMessage(context, entry.blob) } : entry)),
  );
}

/** The words of a message that is in the store. */
export async function readArtifact(context: ClientContext, id: string): Promise<string> {
  return textOf(await readMessage(context, id));
}

async function readMessage({ store }: ClientContext, id: string): Promise<Message> {
  const text = await store.blobs.get(id);
  if (text === undefined)
    throw fail('Store.Unavailable', `The store has no message ${id}. Use the store (data directory) that the worker uses.`);
  return JSON.parse(text) as Message;
}

/** All entries up to a head. */
export async function readStored(context: ClientContext, head: TranscriptHead): Promise<Entry[]> {
  return head ? await readSegment(context, { id: head.part, from: 0, count: head.length, bytes: 0 }) : [];
}

/** One part of the store; of what a nested run took over, a chain of parts, each with the one before it. */
async function readSegment({ store }: ClientContext, { id, count }: Segment): Promise<Entry[]> {
  let entries: Entry[] = [];
  for (let next: string | undefined = id; next !== undefined && entries.length < count;) {
    const text = await store.blobs.get(next);
    if (text === undefined) {
      throw fail(
        'Store.Unavailable',
        `The store has no segment ${next} of this transcript. Use the store (data directory) that the worker uses.`,
      );
    }
    const part = JSON.parse(text) as Part;
    entries = [...part.entries, ...entries];
    next = part.previous?.part;
  }
  return entries.slice(-count);
}
