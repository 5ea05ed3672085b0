/** How much history many short turns cost: a group chat of five agents, and a magentic run whose manager judges after every turn. */
import { NativeConnection } from '@temporalio/worker';
import { connect } from '../src/client.js';
import type { Json } from '../src/contract/json.js';
import { jsonBytes } from '../src/contract/size.js';
import type { RunInput } from '../src/index.js';
import type { ModelRequest } from '../src/llm/provider.js';
import { startWorker } from '../src/worker.js';
import { historySize, instantModel, kb, onQuery, words, type Bench } from './support.js';

/** A reply of an agent. */
const replyBytes = 1500;
const names = ['ada', 'ben', 'cyd', 'dee', 'eli'];
const agents = names.map((name) => ({ name, description: `Knows what ${name} knows.`, instructions: 'Take part.', model: 'instant/m' }));

export async function groupChatHistory(bench: Bench, bundle: { code: string }, rounds: number) {
  return await measure(bench, bundle, `group chat of five agents, ${rounds} rounds`, 'groupChat', {
    agents,
    options: { maxRounds: rounds },
  });
}

export async function magenticHistory(bench: Bench, bundle: { code: string }, rounds: number) {
  const manager = { name: 'boss', instructions: 'Lead.', model: 'instant/m' };
  return await measure(bench, bundle, `magentic, ${rounds} rounds`, 'magentic', {
    agents,
    options: { manager: { agent: manager }, maxRounds: rounds },
  });
}

/** What the manager answers: as its schema asks, and never that the task is done. */
function managed({ outputSchema }: ModelRequest, call: number): Json {
  if (!(outputSchema?.properties && 'next_speaker' in (outputSchema.properties as object))) return { text: words(1000, call) };
  const entry = (answer: string | boolean) => ({ reason: words(80, call), answer });
  return {
    is_request_satisfied: entry(false),
    is_in_loop: entry(false),
    is_progress_being_made: entry(true),
    next_speaker: entry(names[call % names.length] as string),
    instruction_or_question: entry(words(200, call)),
  };
}

async function measure(
  { config, client: temporal, address }: Bench,
  workflowBundle: { code: string },
  what: string,
  pattern: string,
  input: object,
) {
  const model = instantModel((request, call) => {
    const text = request.outputSchema ? JSON.stringify(managed(request, call)) : words(replyBytes, call);
    return { role: 'assistant', contents: [{ $type: 'text', text }] };
  });
  let queries = 0;
  const connection = await NativeConnection.connect({ address });
  onQuery(connection, () => (queries += 1));
  const worker = await startWorker({
    config,
    connection,
    workflowBundle,
    providers: { named: { instant: model }, defaultModel: 'instant/m' },
  });
  const client = await connect({ config, temporal });
  const began = performance.now();
  const run = await client.start(pattern, { task: 'Talk about the sea.', ...input } as RunInput);
  await run.result();
  const seconds = (performance.now() - began) / 1000;
  const entries = await run.transcript();
  const floor = entries.reduce((sum, { message }) => sum + jsonBytes(message), 0);
  const { firstRunId, usage } = await run.status();
  const { bytes, events, executions } = await historySize(temporal, run.id, firstRunId);
  await worker.stop();
  await connection.close();
  await client.close();
  return {
    what,
    calls: usage.modelCalls,
    outcome: 'completed',
    history: kb(bytes),
    'distinct messages': kb(floor),
    'history / (distinct + 4 KB per call)': (bytes / (floor + 4096 * usage.modelCalls)).toFixed(2),
    'history per call': kb(bytes / usage.modelCalls),
    'queries per call': (queries / usage.modelCalls).toFixed(3),
    events,
    executions,
    seconds: seconds.toFixed(1),
  };
}
