/** What every call to a model has around it: the agent as recorded, the conversation by reference, events, a permit, a heartbeat. */
import { Context } from '@temporalio/activity';
import type { RecordedAgent } from '../contract/agent.js';
import type { CompactionDue } from '../contract/compaction.js';
import { failureOf } from '../contract/failure.js';
import type { Message } from '../contract/message.js';
import type { ModelInput, NotYet } from '../contract/step.js';
import type { TranscriptHead } from '../contract/transcript.js';
import type { ModelProviders, ModelRequest, ModelResponse } from '../llm/provider.js';
import { tokensOf } from '../llm/tokens.js';
import type { Permit, Store } from '../store/store.js';
import { saidToAll } from './call-function.js';
import { compacted, tightened, type HeardRequest } from './compaction.js';
import { StepEvents } from './deltas.js';
import { heardBy } from './hearing.js';
import { withHeartbeat } from './heartbeat.js';
import { publishEvents } from './publish.js';
import { RunLog } from './run-log.js';
import type { TeamCache } from './team-cache.js';
import type { Transcripts } from './transcripts.js';

export interface ModelCallDeps {
  store: Store;
  transcripts: Transcripts;
  teams: TeamCache;
  providers: ModelProviders;
}

export interface ModelCall {
  /** Asks the model what the agent is to say next, or what is made of that. */
  complete(change?: (request: ModelRequest) => ModelRequest): Promise<ModelResponse>;
  events: StepEvents;
  /** The transcript as read, once it is in the store. */
  storing: Promise<TranscriptHead>;
  /** The agent, as it was when its run started. */
  recorded: RecordedAgent;
  /** What was said to everybody, from a position on. */
  said: (from: number) => Promise<Message[]>;
  signal: AbortSignal;
}

export async function modelCall<T>(
  { store, transcripts, teams, providers }: ModelCallDeps,
  input: ModelInput,
  use: (call: ModelCall) => Promise<T>,
): Promise<T | NotYet> {
  const { attempt } = Context.current().info;
  const { step, turn, agent, limit } = input;
  const events = new StepEvents(new RunLog(store.events, input), { step, turn, agent, attempt });

  return await withHeartbeat(async (signal) => {
    const [recorded, { entries, fresh }] = await Promise.all([
      teams.loadRecordedAgent(input.team, agent),
      transcripts.read(input.transcript),
      publishEvents(store.events, input),
    ]);
    // The new end is stored while the model thinks.
    const storing = transcripts.write(input.transcript.head, fresh, entries);
    storing.catch(() => undefined);
    if (attempt > 1) events.add({ type: 'step.restarted' });

    const { providerName, entry, model } = providers.resolve(recorded.model);
    const { messages, earlierCalls, scale } = await heardBy(input, entries, { transcripts, blobs: store.blobs });
    const whole: HeardRequest = {
      model,
      agent,
      instructions: recorded.instructions,
      messages,
      ...(earlierCalls.length > 0 && { earlierCalls }),
      tools: recorded.tools,
      ...(recorded.temperature !== undefined && { temperature: recorded.temperature }),
      ...(recorded.maxOutputTokens !== undefined && { maxOutputTokens: recorded.maxOutputTokens }),
      ...(recorded.outputSchema && { outputSchema: recorded.outputSchema }),
    };
    const { compaction } = recorded;
    const first = compacted(compaction, whole, scale, limit);
    if ('due' in first) return { due: first.due, head: await storing };
    const permit = await permitFor(store, providerName, entry.maxConcurrentCalls, signal);
    const send = async (request: ModelRequest): Promise<ModelResponse> => {
      const response = await entry.provider.complete(request, { signal, onDelta: ({ text, kind }) => events.delta(text, kind) });
      return compaction ? { ...response, facts: { ...response.facts, estimate: tokensOf(request) } } : response;
    };
    const complete: ModelCall['complete'] = async (change = (same) => same) => {
      try {
        return await send(change(first.request));
      } catch (error) {
        const next = failureOf(error).type === 'Model.ContextLength' ? tightened(compaction, first.request, scale, limit) : undefined;
        if (!next) throw error;
        if ('due' in next) throw new TooLong(next.due);
        const left = first.request.messages.length - next.request.messages.length;
        events.add({ type: 'conversation.compacted', by: 'dropping', reason: 'contextLength', messages: left });
        return await send(change(next.request));
      }
    };
    try {
      return await use({ complete, events, storing, recorded, said: saidToAll(transcripts, entries), signal });
    } catch (error) {
      if (error instanceof TooLong) return { due: error.due, head: await storing };
      throw error;
    } finally {
      await permit?.release();
      await events.flush();
    }
  });
}

/** The conversation has to be compacted by a step of its own. */
class TooLong extends Error {
  constructor(readonly due: CompactionDue) {
    super('The conversation is longer than the model can read.');
  }
}

export async function permitFor(
  store: Store,
  provider: string,
  limit: number | undefined,
  signal: AbortSignal,
): Promise<Permit | undefined> {
  return limit === undefined ? undefined : await store.permits.acquire(`model/${provider}`, limit, { signal });
}
