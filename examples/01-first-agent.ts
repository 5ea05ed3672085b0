/** An agent and a tool of your own, and the worker that runs them. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { defineAgent, defineTool } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

// A task queue of its own: the worker of `ostinato dev` does not know this agent.
process.env.OSTINATO_TASK_QUEUE = 'first-agent';

const weather = defineTool({
  name: 'weather',
  description: 'The weather in a city right now.',
  input: z.object({ city: z.string() }),
  run: ({ city }) => ({ city, sky: 'sunny', degrees: 21 }),
});

const guide = defineAgent({
  name: 'guide',
  instructions: 'You help travellers. Ask the weather tool when they want to know what to wear or to do outside.',
  tools: [weather],
});

await using worker = await startWorker({ agents: [guide] });
await using client = await connect();

const run = await client.start('sequential', { agents: ['guide'], task: 'How is the weather in Lisbon?' });
const { output, usage } = await run.result();

console.log(output);
console.log(`${usage.modelCalls} model calls${worker.usesStandIn ? ', answered by the built-in stand-in' : ''}`);
assert.match(String(output), /sunny/i);
assert.equal(usage.modelCalls, 2, 'one call asks for the weather, one answers');
