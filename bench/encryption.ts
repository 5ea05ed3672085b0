/** What encryption costs: a run of 100 calls (model and tool in turns, tool results of 5 KB) with keys and without, taken in turns. */
import { NativeConnection } from '@temporalio/worker';
import { z } from 'zod';
import { connect } from '../src/client.js';
import { loadConfig } from '../src/config.js';
import { newKey } from '../src/encryption/keys.js';
import { defineTool } from '../src/index.js';
import { startWorker } from '../src/worker.js';
import { historySize, instantModel, kb, openBench, words } from './support.js';

const toolRounds = 50;
const rounds = 3;

const bench = await openBench();
const connection = await NativeConnection.connect({ address: bench.address });
const lookup = defineTool({
  name: 'lookup',
  description: 'Looks something up.',
  input: z.object({ n: z.number() }),
  run: ({ n }) => words(5 * 1024, n),
});
const model = instantModel(({ mustAnswer }, call) => ({
  role: 'assistant',
  contents: [
    mustAnswer
      ? { $type: 'text', text: 'done' }
      : { $type: 'functionCall', callId: `call_${call}`, name: 'lookup', arguments: { n: call } },
  ],
}));
const agent = { name: 'worker', instructions: 'Work.', model: 'instant/m', tools: ['lookup'], maxToolRounds: toolRounds };

/** Runs once and says how long it took, in milliseconds, and how large the history is. */
async function side(name: string, encryptionKeys?: string) {
  const config = loadConfig({
    dataDir: bench.config.dataDir,
    address: bench.address,
    taskQueue: name,
    ...(encryptionKeys && { encryptionKeys }),
  });
  const worker = await startWorker({
    config,
    connection,
    tools: [lookup],
    providers: { named: { instant: model }, defaultModel: 'instant/m' },
  });
  const client = await connect({ config, temporal: bench.client });
  return {
    name,
    times: [] as number[],
    bytes: 0,
    async once() {
      const began = performance.now();
      const run = await client.start('sequential', { agents: [agent], task: 'go' });
      await run.result();
      this.times.push(performance.now() - began);
      this.bytes = (await historySize(bench.client, run.id, (await run.status()).firstRunId)).bytes;
    },
    async close() {
      await client.close();
      await worker.stop();
    },
  };
}

const median = (values: number[]) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!;
const sides = [await side('open'), await side('sealed', newKey())] as const;
for (let round = 0; round <= rounds; round++) {
  for (const each of sides) await each.once();
  // The first warms up.
  if (round === 0) for (const each of sides) each.times.length = 0;
}
for (const { name, times, bytes } of sides) console.log(`${name}: ${median(times).toFixed(0)} ms, history ${kb(bytes)}`);
const [open, sealed] = sides;
console.log(`time ${(median(sealed.times) / median(open.times)).toFixed(2)}, history ${(sealed.bytes / open.bytes).toFixed(2)}`);
for (const each of sides) await each.close();
await connection.close();
await bench.close();
