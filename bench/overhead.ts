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

const resultBytes = 1024;
/** At 50 runs a dev server is the bottleneck: calls 2-20 tell the same in a tenth of the time. */
const settings = [
  { parallel: 1, calls: 50, rounds: 5 },
  { parallel: 50, calls: 20, rounds: 2 },
];

/** Bytes that ours sends and gets back per model call and per tool call, measured in histories: the bare loop carries the same. */
const payload = { modelIn: 640, modelOut: 520, toolIn: 300, toolOut: resultBytes + 200 };

const bench = await openBench();
const connection = await NativeConnection.connect({ address: bench.address });
const workflowBundle = await bundleWorkflows();
const http = await serveModel(({ toolChoice }) =>
  toolChoice === 'none' ? { text: 'done' } : { calls: [{ name: 'lookup', arguments: { n: 1 } }] },
);

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

type Setting = (typeof settings)[number];

/** Ours: one turn that ends at its limit of tool rounds. The time of the first call and of the run's frame is taken off by a run of one. */
async function ours(provider: string, { parallel, calls }: Setting): Promise<number> {
  const agentOf = (maxToolRounds: number) => ({
    name: 'worker',
    instructions: 'Work.',
    model: `${provider}/m`,
    tools: ['lookup'],
    maxToolRounds,
  });
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

async function bare({ parallel, calls }: Setting): Promise<number> {
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
for (const setting of settings) {
  const { parallel, calls, rounds } = setting;
  const samples: { ours: number; bare: number; http: number }[] = [];
  for (let round = 0; round < rounds; round++) {
    console.error(`${parallel} run(s), round ${round + 1} of ${rounds} …`);
    const sample = { bare: await bare(setting), ours: await ours('instant', setting), http: await ours('http', setting) };
    console.error(
      Object.entries(sample)
        .map(([name, ms]) => `${name} ${ms.toFixed(1)} ms/call`)
        .join(', '),
    );
    samples.push(sample);
  }
  const median = (pick: (sample: (typeof samples)[number]) => number) =>
    samples.map(pick).sort((a, b) => a - b)[Math.floor(rounds / 2)] as number;
  rows.push({
    runs: parallel,
    calls: `2-${calls}`,
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
