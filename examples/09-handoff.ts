/** Support triage: the agent that hears a customer first hands over to the one that can help. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent, defineOrchestration, defineTool } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

process.env.OSTINATO_TASK_QUEUE = 'handoff';

const orderStatus = defineTool({
  name: 'order_status',
  description: 'Where an order is.',
  input: z.object({ order: z.string() }),
  run: ({ order }) => `Order ${order} was shipped on Monday and arrives tomorrow.`,
});

const triage = defineAgent({ name: 'triage', instructions: 'You hand customers over to the colleague who can help them.' });
const shipping = defineAgent({
  name: 'shipping',
  description: 'Orders: where they are and when they arrive.',
  instructions: 'You look orders up with order_status and answer in one sentence.',
  tools: [orderStatus],
});
const refunds = defineAgent({
  name: 'refunds',
  description: 'Refunds: money back for things that are broken.',
  instructions: 'You settle refunds.',
});

const support = defineOrchestration({
  name: 'support',
  pattern: 'handoff',
  agents: [triage, shipping, refunds],
  options: { handoffs: { triage: ['shipping', 'refunds'], shipping: ['triage'], refunds: ['triage'] } },
});

await using _worker = await startWorker({ orchestrations: [support] });
await using client = await connect();

const run = await client.start(support, { task: 'When does my order A42 arrive?' });

const way: string[] = [];
for await (const event of run.watch()) {
  if (event.type === 'turn.started') way.push(event.agent ?? '');
  if (event.type === 'handoff.made') console.log(`${event.from} → ${event.to}`);
}

const { status, output } = await run.result();
console.log(output);
assert.equal(status, 'completed');
assert.deepEqual(way, ['triage', 'shipping']);
assert.match(String(output), /A42.*tomorrow/);
