/** A panel of two as a member of a sequence: its turn is a run of its own. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'nested';

const engineer = defineAgent({ name: 'engineer', instructions: 'You extract the facts that an engineer needs.' });
const banker = defineAgent({ name: 'banker', instructions: 'You extract the facts about money.' });
const panel = defineOrchestration({ name: 'panel', pattern: 'concurrent', agents: [engineer, banker] });
const chair = defineAgent({ name: 'chair', instructions: 'You shorten what the panel found to one sentence.' });
const advice = defineOrchestration({ name: 'advice', pattern: 'sequential', agents: [panel, chair] });

await using _worker = await startWorker({ orchestrations: [advice] });
await using client = await connect();
const task = 'The bridge is 400 metres long and stands on 12 piers. It cost 3 million crowns, and every crossing costs 2 crowns.';
const run = await client.start(advice, { task });

// Events of the panel come with the id of its own run.
const inside = new Set<string>();
for await (const event of run.watch()) {
  if (event.type === 'turn.completed') console.log(`${event.nested ? '  ' : ''}${event.agent}: ${event.text}`);
  if (event.nested) inside.add(event.nested);
}

const { status, output, rounds, usage } = await run.result();
assert.equal(status, 'completed');
assert.match(String(output), /bridge|piers|crowns/);
assert.deepEqual([rounds, usage.modelCalls, inside.size], [2, 3, 1]);
