import { Context } from '@temporalio/activity';
import { fail } from '../contract/failure.js';
import { callsOf, textOf, type Content, type Message } from '../contract/message.js';
import type { CallModelInput, CallModelOutput, CallPolicy } from '../contract/step.js';
import { hears, type Entry } from '../contract/transcript.js';
import { isTooDeep } from '../contract/plain-json.js';
import type { HeardMessage, ModelProviders } from '../llm/provider.js';
import type { Permit, Store } from '../store/store.js';
import { policyOf, type ToolRegistry } from '../tools/registry.js';
import { cutText } from './cut-text.js';
import { StepEvents } from './deltas.js';
import { withHeartbeat } from './heartbeat.js';
import { publishEvents } from './publish.js';
import { toStepMessage } from './step-message.js';
import type { TeamCache } from './team-cache.js';
import type { Transcripts } from './transcripts.js';

export interface CallModelDeps {
  store: Store;
  transcripts: Transcripts;
  teams: TeamCache;
  providers: ModelProviders;
  tools: ToolRegistry;
}

/**
 * One model call. Its input holds no conversation, only where to read it; its output holds the reply and nothing else.
 * A repeated attempt asks the model again: only an attempt whose completion the server accepted is finished.
 */
export function createCallModel({ store, transcripts, teams, providers, tools }: CallModelDeps) {
  return async function callModel(input: CallModelInput): Promise<CallModelOutput> {
    const { info } = Context.current();
    const log = { workflowId: info.workflowExecution?.workflowId ?? '', firstRunId: input.firstRunId };
    const { step, turn, agent, mustAnswer } = input;
    const events = new StepEvents(store.events, log, { step, turn, agent, attempt: info.attempt });

    return await withHeartbeat(async (signal) => {
      const [recorded, { entries, fresh }] = await Promise.all([
        teams.loadRecordedAgent(input.team, agent),
        transcripts.read(input.transcript),
        publishEvents(store.events, input),
      ]);
      // The new end is stored while the model thinks.
      const storing = transcripts.write(input.transcript.head, fresh, entries);
      storing.catch(() => undefined);
      if (info.attempt > 1) events.add({ type: 'step.restarted' });

      const { providerName, entry, model } = providers.resolve(recorded.model);
      const permit = await permitFor(store, providerName, entry.maxConcurrentCalls, signal);
      try {
        const response = await entry.provider.complete(
          {
            model,
            agent,
            instructions: recorded.instructions,
            messages: await heardBy({ agent, ordinal: turn, start: input.start }, entries, transcripts),
            tools: recorded.tools,
            ...(mustAnswer && { mustAnswer }),
            ...(recorded.temperature !== undefined && { temperature: recorded.temperature }),
            ...(recorded.maxOutputTokens !== undefined && { maxOutputTokens: recorded.maxOutputTokens }),
            ...(recorded.outputSchema && { outputSchema: recorded.outputSchema }),
          },
          { signal, onDelta: ({ text, kind }) => events.delta(text, kind) },
        );
        const { contents, rawArguments } = bounded(
          mustAnswer ? withoutCalls(response.message, agent) : response.message.contents,
          response.rawArguments,
        );
        const message: Message = { ...response.message, authorName: agent, createdAt: new Date().toISOString(), contents };
        const calls = callsOf(message);
        events.add({
          type: 'message.completed',
          text: textOf(message).slice(0, 8000),
          usage: response.facts.usage,
          finishReason: response.facts.finishReason,
          model: response.facts.model,
          ...(calls.length > 0 && { calls: calls.map(({ name }) => name) }),
        });
        const policies = policiesOf(tools, calls);
        const stepMessage = await toStepMessage(store.blobs, message);
        return {
          ...stepMessage,
          reply: response.facts,
          ...(rawArguments && { rawArguments }),
          ...(policies && { policies }),
          head: await storing,
          ...(info.attempt > 1 && { attempt: info.attempt }),
        };
      } finally {
        await permit?.release();
        await events.flush();
      }
    });
  };
}

async function heardBy(turn: { agent: string; ordinal: number; start: number }, entries: readonly Entry[], transcripts: Transcripts) {
  const heard = entries.filter((entry, position) => hears(turn, entry, position));
  return await Promise.all(
    heard.map(async (entry): Promise<HeardMessage> => ({
      message: await transcripts.whole(entry),
      ...(entry.rawArguments && { rawArguments: entry.rawArguments }),
    })),
  );
}

/** Most calls of one reply, and what a model's broken arguments are cut to when they are shown to it again. */
const mostCalls = 128;
const rawLength = 4 * 1024;

/** Whatever a model writes has to fit into a history and through `JSON.stringify`. */
function bounded(contents: Content[], raw: { [callId: string]: string } = {}) {
  const broken = Object.entries(raw).map(([callId, text]): [string, string] => [callId, cutText(text, rawLength)]);
  if (contents.filter(({ $type }) => $type === 'functionCall').length > mostCalls) {
    throw fail('Model.Malformed', `The model made more than ${mostCalls} calls in one reply.`);
  }
  const checked = contents.map((content): Content => {
    if (content.$type !== 'functionCall' || !isTooDeep(content.arguments)) return content;
    broken.push([content.callId, '(arguments nested too deep to be used)']);
    return { ...content, arguments: {} };
  });
  return { contents: checked, ...(broken.length > 0 && { rawArguments: Object.fromEntries(broken) }) };
}

/** Some models call tools although they may not. Nobody would answer such a call. */
function withoutCalls({ contents }: Message, agent: string): Content[] {
  const words = contents.filter(({ $type }) => $type !== 'functionCall');
  if (words.some(({ $type }) => $type === 'text')) return words;
  throw fail('Model.Malformed', `"${agent}" used up its tool rounds and still calls tools instead of answering. Raise \`maxToolRounds\`?`, {
    final: true,
  });
}

async function permitFor(store: Store, provider: string, limit: number | undefined, signal: AbortSignal): Promise<Permit | undefined> {
  return limit === undefined ? undefined : await store.permits.acquire(`model/${provider}`, limit, { signal });
}

function policiesOf(tools: ToolRegistry, calls: { name: string }[]): { [index: number]: CallPolicy } | undefined {
  const policies = calls.flatMap(({ name }, index) => {
    const tool = tools.get(name);
    const policy = tool && policyOf(tool);
    return policy ? [[index, policy] as const] : [];
  });
  return policies.length > 0 ? Object.fromEntries(policies) : undefined;
}
