/**
 * What a step of ours costs beside a bare Temporal activity: the marginal cost of calls 2-50 of one turn (each a model call and a
 * tool call), with a model in this process that answers at once and the event log on, against a loop over bare activities with the
 * same payload bytes, on the same server, taken in turns. Then the same through HTTP, for comparison.
 */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { z } from 'zod';
import { connect } from '../src/client.js';
import { defineTool } from '../src/index.js';
import { openaiChat } from '../src/llm/openai-chat.js';
import { serveModel } from '../src/llm/http-model.js';
import type { ModelProvider } from '../src/llm/provider.js';
import { bundleWorkflows, startWorker } from '../src/worker.js';
import { instantModel, openBench, words } from './support.js';

const calls = 50;
const resultBytes = 1024;
const rounds = Number(process.env.ROUNDS ?? 5);

/** Bytes that ours sends and gets back per model call and per tool call, measured in histories: the bare loop carries the same. */
const payload = { modelIn: 640, modelOut: 520, toolIn: 300, toolOut: resultBytes + 200 };

const bench = await openBench();
const connection = await NativeConnection.connect({ address: bench.address });
const workflowBundle = await bundleWorkflows();
const http = await serveModel(({ toolChoice }) => (toolChoice === 'none' ? { text: 'done' } : { calls: [{ name: 'lookup', arguments: { n: 1 } }] }));

const lookup = defineTool({
  name: 'lookup',
  description: 'Looks something up.',
  input: z.object({ n: z.number() }),
  run: ({ n }) => words(resultBytes, n),
});
const toolCall = (call: number) => ({ $type: 'functionCall' as const, callId: `call_${call}`, name: 'lookup', arguments: { n: call } });
const providers: { [name: string]: ModelProvider } = {
  instant: instantModel(({ mustAnswer }, call) => ({
    role: 'assistant',
    contents: [mustAnswer ? { $type: 'text', text: 'done' } : toolCall(call)],
  })),
  http: openaiChat({ baseURL: http.baseURL, apiKey: () => 'bench' }),
};

/** Ours: one turn that ends at its limit of tool rounds. The time of the first call and of the run's frame is taken off by a run of one. */
async function ours(provider: string, parallel: number): Promise<number> {
  const agentOf = (maxToolRounds: number) => ({ name: 'worker', instructions: 'Work.', model: `${provider}/m`, tools: ['lookup'], maxToolRounds });
  const timed = async (rounds: number) => {
    const began = performance.now();
    await Promise.all(
      Array.from({ length: parallel }, async () => {
        const run = await client.start('sequential', { agents: [agentOf(rounds)], task: 'go' });
        await run.result();
      }),
    );
    return performance.now() - began;
  };
  const short = await timed(1);
  const long = await timed(calls);
  return (long - short) / (calls - 1);
}

async function bare(parallel: number): Promise<number> {
  const timed = async (count: number) => {
    const began = performance.now();
    await Promise.all(
      Array.from({ length: parallel }, () =>
        bench.client.workflow.execute('bareLoop', {
          taskQueue: 'bare',
          workflowId: `bare-${Math.random()}`,
          args: [{ count, ...payload }],
        }),
      ),
    );
    return performance.now() - began;
  };
  const short = await timed(1);
  const long = await timed(calls);
  return (long - short) / (calls - 1);
}


const worker = await startWorker({
  tools: [lookup],
  config: bench.config,
  connection,
  workflowBundle,
  providers: { named: providers, defaultModel: 'instant/m' },
});
const bareWorker = await Worker.create({
  connection,
  taskQueue: 'bare',
  workflowsPath: fileURLToPath(new URL('./bare-workflow.ts', import.meta.url)),
  activities: { bareStep: async (_input: string, bytes: number) => words(bytes, 1) },
  maxConcurrentActivityTaskExecutions: 500,
});
const bareRunning = bareWorker.run();
const client = await connect({ config: bench.config, temporal: bench.client });

const rows = [];
for (const parallel of [1, 50]) {
  const samples: { ours: number; bare: number; http: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    console.error(`${parallel} run(s), round ${round + 1} of ${rounds} …`);
    samples.push({ bare: await bare(parallel), ours: await ours('instant', parallel), http: await ours('http', parallel) });
  }
  const median = (pick: (sample: (typeof samples)[number]) => number) => samples.map(pick).sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
  rows.push({
    runs: parallel,
    'bare ms/call': median((sample) => sample.bare).toFixed(1),
    'ours ms/call': median((sample) => sample.ours).toFixed(1),
    'ours / bare': median((sample) => sample.ours / sample.bare).toFixed(2),
    'through HTTP ms/call': median((sample) => sample.http).toFixed(1),
    'HTTP / bare': median((sample) => sample.http / sample.bare).toFixed(2),
  });
}
console.table(rows);

bareWorker.shutdown();
await bareRunning;
await worker.stop();
await client.close();
await http.close();
await connection.close();
await bench.close();
