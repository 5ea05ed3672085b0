/**
 * A refund over a threshold needs an approval: asked of finance, answered by somebody else, carried out once. Needs a Temporal server:
 * `npx ostinato dev`.
 *
 * The same from a terminal: temporal workflow signal --workflow-id <the run's id> --name respond
 *   --input '{"requestId": "approve-1-1-0", "response": "approve", "by": "ann"}'
 */
import assert from 'node:assert/strict';
import { defineAgent, defineTool } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

process.env.OSTINATO_TASK_QUEUE = 'refund';

const paid: string[] = [];
const refund = defineTool({
  name: 'refund',
  description: 'Pays an amount back for an order.',
  input: z.object({ order: z.string(), amount: z.number().positive() }),
  approval: {
    when: ({ amount }) => amount > 100,
    assignee: ['ann', 'bob'],
    role: 'finance',
    timeout: '2 days',
    remind: '1 day',
    onTimeout: { escalate: { role: 'management', timeout: '5 days' } },
  },
  // A real one hands the key to the bank: the same key is the same payment.
  run: ({ order, amount }, { idempotencyKey }) => {
    paid.push(idempotencyKey);
    return { order, paid: amount };
  },
});
const desk = defineAgent({ name: 'desk', instructions: 'You help customers with their orders.', tools: [refund] });

await using _worker = await startWorker({ agents: [desk] });
await using client = await connect();

// A small one is nobody's business.
const small = await client.start('sequential', { agents: ['desk'], task: 'Refund the amount 20 for order 1043.' });
console.log(String((await small.result()).output));
assert.equal(paid.length, 1);
assert.deepEqual(await small.requests(), []);

// A large one is.
const large = await client.start('sequential', { agents: ['desk'], task: 'Refund the amount 250 for order 1044.' });
for await (const event of large.watch()) {
  if (event.type !== 'request.opened') continue;
  console.log(`For ${event.role}: ${event.prompt}`);
  assert.deepEqual(event.call?.arguments, { order: '1044', amount: 250 });
  assert.equal(paid.length, 1, 'nothing is paid before somebody has agreed');
  // Somebody else may not answer it, and less may be paid.
  await assert.rejects(large.respond(event.requestId, 'approve', { by: 'eve' }), { type: 'Request.NotAssigned' });
  await large.respond(event.requestId, { decision: 'approve', arguments: { order: '1044', amount: 200 } }, { by: 'ann' });
}
const { output } = await large.result();
console.log(String(output));
assert.match(String(output), /200/);
assert.equal(paid.length, 2);
