/**
 * How much history a long turn costs: a conversation of about 209,000 tokens, model calls that each use a tool with a 5 KB result.
 * Prints the bytes of all histories of the run, the floor (distinct message bytes), their ratio, and queries per call.
 *
 *   npm run bench:history              100 calls, the same with two workers, and the same work done by passing the conversation
 *   npm run bench:history -- --short     without the 1,000 calls
 *   npm run bench:history -- --patterns  only many short turns: group chats and magentic runs, of two lengths each
 */
import { NativeConnection } from '@temporalio/worker';
import { z } from 'zod';
import { connect } from '../src/client.js';
import { jsonBytes } from '../src/contract/size.js';
import { defineAgent, defineTool } from '../src/index.js';
import { bundleWorkflows, startWorker } from '../src/worker.js';
import { groupChatHistory, magenticHistory } from './history-patterns.js';
import { passTheConversation } from './passing.js';
import { historySize, instantModel, kb, onQuery, openBench, words, type Bench } from './support.js';

const resultBytes = 5 * 1024;

/** 209 messages of 4,000 bytes: about 209,000 tokens at four bytes each. */
const conversation = Array.from({ length: 209 }, (_, i) => ({
  role: i % 2 === 0 ? 'user' : 'assistant',
  ...(i % 2 === 1 && { authorName: 'researcher' }),
  contents: [{ $type: 'text' as const, text: words(4000, i) }],
}));

const bench = await openBench();
try {
  const bundle = await bundleWorkflows();
  const manyTurns = [
    await groupChatHistory(bench, bundle, 50),
    await groupChatHistory(bench, bundle, 100),
    await magenticHistory(bench, bundle, 25),
    await magenticHistory(bench, bundle, 50),
  ];
  console.table(manyTurns);
  if (!process.argv.includes('--patterns')) console.table(await oneLongTurn(bundle));
} finally {
  await bench.close();
}

async function oneLongTurn(bundle: { code: string }) {
  return [
    await byReference(bench, bundle, { label: 'by reference, one worker', calls: 100, workers: 1 }),
    await byReference(bench, bundle, { label: 'by reference, two workers', calls: 100, workers: 2 }),
    ...(process.argv.includes('--short')
      ? []
      : [await byReference(bench, bundle, { label: 'by reference, one worker', calls: 1000, workers: 1 })]),
    await passTheConversation(bench, { conversation, calls: 100, resultBytes }),
  ];
}

async function byReference(
  { config, client: temporal, address }: Bench,
  workflowBundle: { code: string },
  { label, calls, workers }: { label: string; calls: number; workers: number },
) {
  const lookup = defineTool({
    name: 'lookup',
    description: 'Looks something up.',
    input: z.object({ n: z.number() }),
    run: ({ n }) => words(resultBytes, 10_000 + n),
  });
  const researcher = defineAgent({ name: 'researcher', instructions: 'Research.', tools: [lookup], maxToolRounds: 1000 });
  let asked = 0;
  const model = instantModel(() => {
    asked += 1;
    const content =
      asked < calls
        ? { $type: 'functionCall' as const, callId: `call_${asked}`, name: 'lookup', arguments: { n: asked } }
        : { $type: 'text' as const, text: 'That is all.' };
    return { role: 'assistant', contents: [content] };
  });
  let queries = 0;
  const running = [];
  const connections: NativeConnection[] = [];
  for (let i = 0; i < workers; i++) {
    const connection = await NativeConnection.connect({ address });
    connections.push(connection);
    onQuery(connection, () => (queries += 1));
    running.push(
      await startWorker({
        agents: [researcher],
        config,
        connection,
        workflowBundle,
        providers: { default: model, defaultModel: 'instant' },
        identity: `worker-${i}`,
      }),
    );
  }
  const client = await connect({ config, temporal });
  const began = performance.now();
  const run = await client.start('sequential', { agents: ['researcher'], task: conversation });
  await run.result();
  const seconds = (performance.now() - began) / 1000;
  const entries = await run.transcript();
  const floor = entries.reduce((sum, { message }) => sum + jsonBytes(message), 0);
  const { firstRunId, usage } = await run.status();
  const { bytes, events, executions } = await historySize(temporal, run.id, firstRunId);
  for (const worker of running) await worker.stop();
  for (const connection of connections) await connection.close();
  await client.close();
  const budget = floor + 4096 * usage.modelCalls;
  return {
    what: label,
    calls: usage.modelCalls,
    outcome: 'completed',
    history: kb(bytes),
    'distinct messages': kb(floor),
    'history / (distinct + 4 KB per call)': (bytes / budget).toFixed(2),
    'queries per call': (queries / usage.modelCalls).toFixed(3),
    events,
    executions,
    seconds: seconds.toFixed(1),
  };
}
