/** An e-mail is spam, or it is answered: who looks at it first decides. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

process.env.OSTINATO_TASK_QUEUE = 'routing';

const sorter = defineAgent({ name: 'sorter', instructions: 'You sort the e-mails of a bookshop.' });
const guard = defineAgent({
  name: 'guard',
  instructions: 'You say in one sentence why an e-mail is spam.',
  outputSchema: z.object({ reason: z.string() }),
});
const clerk = defineAgent({
  name: 'clerk',
  instructions: 'You answer the e-mails of customers.',
  outputSchema: z.object({ subject: z.string(), reply: z.string() }),
});
const inbox = defineOrchestration({
  name: 'inbox',
  pattern: 'routing',
  agents: [guard, clerk],
  options: {
    classifier: { agent: sorter },
    routes: {
      spam: { agent: 'guard', description: 'A prize, a lottery, money to be won, a link to click.' },
      customer: { agent: 'clerk', description: 'An order, a book, a delivery, an invoice.' },
    },
  },
  output: z.union([z.object({ subject: z.string(), reply: z.string() }), z.object({ reason: z.string() })]),
});

await using _worker = await startWorker({ orchestrations: [inbox] });
await using client = await connect();

async function receive(task: string): Promise<{ labels: string[]; output: unknown }> {
  const run = await client.start(inbox, { task });
  let labels: string[] = [];
  for await (const event of run.watch()) {
    if (event.type !== 'route.taken') continue;
    labels = event.labels;
    console.log(`\n${task}\n→ ${event.targets.join(', ')}: ${event.reason}`);
  }
  const { status, output } = await run.result();
  assert.equal(status, 'completed');
  console.log(output);
  return { labels, output };
}

const prize = await receive('You have won the lottery! Click this link to collect your money.');
assert.deepEqual(prize.labels, ['spam']);
assert.ok(prize.output instanceof Object && 'reason' in prize.output);

const order = await receive('Where is the book that I ordered on Monday? The delivery was due yesterday.');
assert.deepEqual(order.labels, ['customer']);
assert.ok(order.output instanceof Object && 'reply' in order.output);
