/** An agent that asks another, which answers in a run of its own. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'agent-as-tool';

const historian = defineAgent({
  name: 'historian',
  description: 'Knows when bridges were built.',
  instructions: 'You answer questions about bridges. The old bridge was built in 1894.',
});
const guide = defineAgent({ name: 'guide', instructions: 'You help visitors.', tools: [{ agent: historian }] });

await using _worker = await startWorker({ agents: [guide] });
await using client = await connect();
const run = await client.start('sequential', { agents: ['guide'], task: 'When was the old bridge built?' });

for await (const event of run.watch()) {
  if (event.type === 'nested.started') console.log(`guide asks historian, in the run ${event.nestedRunId}`);
  if (event.type === 'turn.completed') console.log(`${event.agent}: ${event.text}`);
}

const { output } = await run.result();
assert.match(String(output), /1894/);
