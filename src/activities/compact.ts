import { Context } from '@temporalio/activity';
import type { RecordedAgent } from '../contract/agent.js';
import type { CompactInput, CompactionDocument, CompactOutput, SummaryPolicy } from '../contract/compaction.js';
import { fail } from '../contract/failure.js';
import { checkTask } from '../contract/guards.js';
import type { Json } from '../contract/json.js';
import type { Message } from '../contract/message.js';
import type { Usage } from '../contract/transcript.js';
import type { FunctionRegistry } from '../functions/registry.js';
import { sumUp, summaryInstructions } from '../llm/summary.js';
import { tokensOfMessage } from '../llm/tokens.js';
import { runFunction, saidToAll } from './call-function.js';
import { heardBy, type Heard } from './hearing.js';
import { withHeartbeat } from './heartbeat.js';
import { permitFor, type ModelCallDeps } from './model-call.js';
import { publishEvents } from './publish.js';

export interface CompactDeps extends ModelCallDeps {
  functions: FunctionRegistry;
}

interface Made {
  messages: Message[];
  usage?: Usage;
}

/**
 * Makes what stands for the older part of an agent's conversation, by a model or by a registered function, and stores it. A repeated
 * attempt asks again: only one whose completion the server accepted is finished.
 */
export function createCompact(deps: CompactDeps) {
  const { store, transcripts, teams } = deps;
  return async function compact(input: CompactInput): Promise<CompactOutput> {
    const { attempt } = Context.current().info;
    return await withHeartbeat(async (signal) => {
      const [recorded, { entries, fresh }] = await Promise.all([
        teams.loadRecordedAgent(input.team, input.agent),
        transcripts.read(input.transcript),
        publishEvents(store.events, input),
      ]);
      const head = await transcripts.write(input.transcript.head, fresh, entries);
      const { messages } = await heardBy(input, entries, { transcripts, blobs: store.blobs });
      const old = messages.filter(({ fresh: at, stands }) => stands || (at !== undefined && at < input.due.upTo));
      const made = await make(deps, input, { recorded, old, signal, said: saidToAll(transcripts, entries) });
      const document: CompactionDocument = { messages: made.messages };
      return {
        blob: await store.blobs.put(JSON.stringify(document)),
        messages: old.filter((heard) => heard.fresh !== undefined).length,
        ...(made.usage && { usage: made.usage }),
        head,
        ...(attempt > 1 && { attempt }),
      };
    });
  };
}

async function make(
  deps: CompactDeps,
  input: CompactInput,
  {
    recorded,
    old,
    signal,
    said,
  }: { recorded: RecordedAgent; old: Heard[]; signal: AbortSignal; said: (from: number) => Promise<Message[]> },
): Promise<Made> {
  const { compaction } = recorded;
  if (compaction && 'summary' in compaction) return await summarize(deps, input, recorded, compaction.summary, old, signal);
  if (compaction && 'function' in compaction) return await condense(deps.functions, input, compaction.function, old, signal, said);
  throw fail('State.Unreadable', `"${input.agent}" was recorded without a way to compact its conversation.`);
}

async function summarize(
  { store, providers }: CompactDeps,
  { agent, due }: CompactInput,
  recorded: RecordedAgent,
  policy: SummaryPolicy,
  old: Heard[],
  signal: AbortSignal,
): Promise<Made> {
  const { providerName, entry, model } = providers.resolve(policy.model ?? recorded.model);
  const { instructions = summaryInstructions } = policy;
  const permit = await permitFor(store, providerName, entry.maxConcurrentCalls, signal);
  try {
    const ask = (text: string) =>
      entry.provider.complete(
        { model, agent, instructions, messages: [{ message: { role: 'user', contents: [{ $type: 'text', text }] } }], tools: [] },
        { signal },
      );
    const { message, facts } = await sumUp(old, { agent, tokens: due.tokens, ask });
    return { messages: [message], usage: facts.usage };
  } finally {
    await permit?.release();
  }
}

/** What a function returns is words: of a call nobody would know the result. */
async function condense(
  functions: FunctionRegistry,
  input: CompactInput,
  name: string,
  old: Heard[],
  signal: AbortSignal,
  said: (from: number) => Promise<Message[]>,
): Promise<Made> {
  const { agent, due, idempotencyKey } = input;
  const given = { agent, messages: old.map(({ message }) => message) as unknown as Json };
  const value = await runFunction(functions, { name, input: given, idempotencyKey }, signal, said);
  const { messages, problems } = checkTask(value);
  const wrong = (what: string) =>
    fail('Function.Failed', `The function "${name}" must return a text, a message or a list of messages: ${what}`, { final: true });
  if (problems.length > 0) throw wrong(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  const made = messages.map((message) => ({
    ...message,
    contents: message.contents.filter(({ $type }) => $type !== 'functionCall' && $type !== 'functionResult'),
  }));
  if (made.every(({ contents }) => contents.length === 0)) throw wrong('nothing was returned');
  const tokens = made.reduce((sum, message) => sum + tokensOfMessage({ message }), 0);
  if (tokens > due.tokens / 2) throw wrong(`these have about ${tokens} tokens; at most half of ${due.tokens} are left for them`);
  return { messages: made };
}
