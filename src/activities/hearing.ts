/** What an agent hears of a transcript: what stands for the older part of it, if anything does, and the rest as it was said. */
import type { CompactionDocument } from '../contract/compaction.js';
import { fail } from '../contract/failure.js';
import { checkTask } from '../contract/guards.js';
import { callsOf, type Message } from '../contract/message.js';
import type { HearingInput } from '../contract/step.js';
import { hears, type Entry } from '../contract/transcript.js';
import { isForeign, isOwn } from '../llm/conversation.js';
import type { HeardMessage } from '../llm/provider.js';
import type { BlobStore } from '../store/store.js';
import type { Transcripts } from './transcripts.js';

export interface Heard extends HeardMessage {
  /** Its position in the transcript, when nothing stands for it yet. */
  fresh?: number;
  /** It was never said: it stands for what was. */
  stands?: true;
}

export interface Conversation {
  messages: Heard[];
  /** Ids of calls in what is not heard any more. */
  earlierCalls: string[];
  /** Tokens of the provider for one of our estimate, by the last reply. */
  scale: number;
}

type Said = { entry: Entry; position: number };

export async function heardBy(
  { agent, turn, start, from, inherited, compaction }: HearingInput & { agent: string; turn: number },
  entries: readonly Entry[],
  { transcripts, blobs }: { transcripts: Transcripts; blobs: Pick<BlobStore, 'get'> },
): Promise<Conversation> {
  const around = { agent, ...(inherited && { inherited }) };
  const hearing = { ...around, ordinal: turn, start, ...(from !== undefined && { from }) };
  const said = entries.flatMap((entry, position) => (hears(hearing, entry, position) ? [{ entry, position }] : []));
  // The turn that had it compacted may not have heard what others said beside it.
  const isOld = ({ entry, position }: Said) =>
    compaction !== undefined &&
    position < compaction.upTo &&
    hears({ ...around, ...compaction, ordinal: compaction.turn }, entry, position);
  const pinned = pinnedAmong(said, agent, turn);
  const kept = said.filter((one) => pinned.has(one) || !isOld(one));
  const messages = await Promise.all(
    kept.map(async (one): Promise<Heard> => ({
      message: await transcripts.whole(one.entry),
      ...(one.entry.rawArguments && { rawArguments: one.entry.rawArguments }),
      ...(pinned.has(one) && { pinned: true }),
      ...(one.entry.message.role !== 'system' && !isOld(one) && { fresh: one.position }),
    })),
  );
  const standing = compaction ? await standingFor(blobs, compaction.blob) : [];
  const first = messages.findIndex(({ message }) => message.role !== 'system');
  messages.splice(first === -1 ? messages.length : first, 0, ...standing);
  return { messages, earlierCalls: compaction ? callsIn(said, new Set(kept)) : [], scale: scaleBy(said, agent) };
}

/** System messages, and what is being answered: what came last from outside, and what others said last. */
function pinnedAmong(said: readonly Said[], agent: string, turn: number): Set<Said> {
  const toIt = said.filter(({ entry: { message } }) => isForeign(message, agent));
  const last = [
    toIt.filter(({ entry }) => entry.turn === undefined).at(-1),
    toIt.filter(({ entry }) => entry.turn === undefined && entry.audience === undefined).at(-1),
    toIt.filter(({ entry }) => entry.turn !== turn).at(-1),
  ];
  return new Set([...said.filter(({ entry }) => entry.message.role === 'system'), ...last.filter((one) => one !== undefined)]);
}

async function standingFor(blobs: Pick<BlobStore, 'get'>, id: string): Promise<Heard[]> {
  const text = await blobs.get(id);
  if (text === undefined) throw fail('Store.Unavailable', `The store has no compaction ${id} of this conversation. Is it the same store?`);
  const messages = messagesIn(text);
  // Whoever makes up a state may name anything that is in the store.
  if (!messages) throw fail('State.Unreadable', `${id} in the store is no compaction of a conversation.`);
  return messages.map((message) => ({ message, pinned: true, stands: true }));
}

function messagesIn(text: string): Message[] | undefined {
  try {
    const document = JSON.parse(text) as Partial<CompactionDocument> | null;
    const { messages, problems } = checkTask(document?.messages);
    return messages.length > 0 && problems.length === 0 ? messages : undefined;
  } catch {
    return undefined;
  }
}

function callsIn(said: readonly Said[], kept: ReadonlySet<Said>): string[] {
  return said.filter((one) => !kept.has(one)).flatMap(({ entry }) => callsOf(entry.message).map(({ callId }) => callId));
}

/** Beyond these an endpoint counts something else. */
const [leastScale, mostScale] = [0.25, 8];

function scaleBy(said: readonly Said[], agent: string): number {
  const replies = said.filter(({ entry: { message, reply } }) => isOwn(message, agent) && reply?.estimate && reply.usage.inputTokens);
  const reply = replies.at(-1)?.entry.reply;
  if (!reply?.estimate) return 1;
  const { inputTokens, modelCalls } = reply.usage;
  return Math.min(Math.max(inputTokens / Math.max(modelCalls, 1) / reply.estimate, leastScale), mostScale);
}
