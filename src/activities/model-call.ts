/** What every call to a model has around it: the agent as recorded, the conversation by reference, events, a permit, a heartbeat. */
import { Context } from '@temporalio/activity';
import type { HearingInput, TurnStep } from '../contract/step.js';
import { hears, type Entry, type Hearing, type TranscriptHead } from '../contract/transcript.js';
import type { HeardMessage, ModelProviders, ModelRequest, ModelResponse } from '../llm/provider.js';
import type { Permit, Store } from '../store/store.js';
import { StepEvents } from './deltas.js';
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
}

export async function modelCall<T>(
  { store, transcripts, teams, providers }: ModelCallDeps,
  input: TurnStep & HearingInput,
  use: (call: ModelCall) => Promise<T>,
): Promise<T> {
  const { attempt } = Context.current().info;
  const { step, turn, agent, start, from, inherited } = input;
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
    const hearing = { agent, ordinal: turn, start, ...(from !== undefined && { from }), ...(inherited && { inherited }) };
    const messages = await heardBy(hearing, entries, transcripts);
    const request: ModelRequest = {
      model,
      agent,
      instructions: recorded.instructions,
      messages,
      tools: recorded.tools,
      ...(recorded.temperature !== undefined && { temperature: recorded.temperature }),
      ...(recorded.maxOutputTokens !== undefined && { maxOutputTokens: recorded.maxOutputTokens }),
      ...(recorded.outputSchema && { outputSchema: recorded.outputSchema }),
    };
    const permit = await permitFor(store, providerName, entry.maxConcurrentCalls, signal);
    const complete: ModelCall['complete'] = (change = (same) => same) =>
      entry.provider.complete(change(request), { signal, onDelta: ({ text, kind }) => events.delta(text, kind) });
    try {
      return await use({ complete, events, storing });
    } finally {
      await permit?.release();
      await events.flush();
    }
  });
}

async function heardBy(hearing: Hearing, entries: readonly Entry[], transcripts: Transcripts): Promise<HeardMessage[]> {
  const heard = entries.filter((entry, position) => hears(hearing, entry, position));
  return await Promise.all(
    heard.map(async (entry): Promise<HeardMessage> => ({
      message: await transcripts.whole(entry),
      ...(entry.rawArguments && { rawArguments: entry.rawArguments }),
    })),
  );
}

async function permitFor(store: Store, provider: string, limit: number | undefined, signal: AbortSignal): Promise<Permit | undefined> {
  return limit === undefined ? undefined : await store.permits.acquire(`model/${provider}`, limit, { signal });
}
