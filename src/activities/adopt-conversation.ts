import { Context } from '@temporalio/activity';
import { fail, failureOf } from '../contract/failure.js';
import { queries } from '../contract/names.js';
import type { Checkpoint } from '../contract/run.js';
import type { AdoptConversationInput, AdoptConversationOutput } from '../contract/step.js';
import type { Entry, TranscriptHead, TranscriptPage } from '../contract/transcript.js';
import { readSnapshot } from '../state/read-snapshot.js';
import { leftBy } from '../store/left.js';
import { readDocument } from '../store/read-document.js';
import type { Store } from '../store/store.js';
import { publishEvents } from './publish.js';
import type { Transcripts } from './transcripts.js';

/** Lets a new run begin with the conversation of an earlier one. Nothing is copied but its last, unsealed part. */
export function createAdoptConversation({ store, transcripts }: { store: Store; transcripts: Transcripts }) {
  return async function adoptConversation(input: AdoptConversationInput): Promise<AdoptConversationOutput> {
    await publishEvents(store.events, input);
    const { client, info } = Context.current();
    if (input.conversation === info.workflowExecution?.workflowId) {
      throw fail('Input.Invalid', 'A run cannot go on with its own conversation.');
    }
    const earlier = client.workflow.getHandle(input.conversation);
    const described = await ask(() => earlier.describe(), input.conversation).catch(async (error: unknown) => {
      const left = failureOf(error).type === 'Run.NotFound' ? await leftBy(store, input.conversation) : undefined;
      if (!left) throw error;
      return left;
    });
    if ('id' in described) return conversationIn(await readDocument(store.blobs, described.id));
    const { taskQueue } = described;
    if (taskQueue !== store.environment.taskQueue) {
      throw fail(
        'Run.OtherEnvironment',
        `The conversation of "${input.conversation}" belongs to task queue "${taskQueue}". Go on with it there.`,
      );
    }
    const { transcript } = await ask(() => earlier.query<Checkpoint>(queries.checkpoint), input.conversation);
    const last = transcript.segments.at(-1);
    const sealed: TranscriptHead = last ? { part: last.id, length: last.from + last.count } : null;
    const tail: Entry[] = [];
    for (let next: number | undefined = sealed?.length ?? 0; next !== undefined;) {
      const after: number = next;
      const page: TranscriptPage = await ask(
        () => earlier.query<TranscriptPage, [object]>(queries.transcript, { after, limit: 1000 }),
        input.conversation,
      );
      tail.push(...page.entries);
      next = page.next;
    }
    const before = await transcripts.at(sealed);
    const entries = before.concat(tail);
    const head = await transcripts.write(sealed, tail, entries);
    const segment = head && tail.length > 0 ? [{ id: head.part, from: sealed?.length ?? 0, count: tail.length, bytes: 0 }] : [];
    return {
      segments: [...transcript.segments, ...segment],
      head,
      lastTurn: entries.reduce((highest, { turn = 0 }) => Math.max(highest, turn), 0),
    };
  };
}

/** Temporal does not know the run any more. */
function conversationIn(document: unknown): AdoptConversationOutput {
  const { transcript, lastTurn } = readSnapshot(document).state;
  return { segments: transcript.segments, head: transcript.head, lastTurn };
}

async function ask<T>(query: () => Promise<T>, conversation: string): Promise<T> {
  try {
    return await query();
  } catch (cause) {
    const { name, message } = cause as Error;
    if (name === 'WorkflowNotFoundError')
      throw fail('Run.NotFound', `There is no run "${conversation}" whose conversation could go on.`, { cause });
    if (name === 'QueryNotRegisteredError') throw fail('Run.NotFound', `"${conversation}" is not a run of this application.`, { cause });
    throw fail('Store.Unavailable', `The run "${conversation}" does not answer: ${message}`, { cause });
  }
}
