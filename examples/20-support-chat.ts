/**
 * Support: an assistant answers customers, a colleague takes over where a person is wanted, and hands back. Each message of the customer
 * is a run that goes on with the conversation so far. Needs a Temporal server: `npx ostinato dev`.
 *
 * With these definitions in a project it can also be typed, the customer in one terminal and the colleague in another, who needs nothing
 * but Temporal's own command:
 *
 *     npx ostinato chat support
 *     temporal workflow query --workflow-id chat/support/default/2 --type requests
 *     temporal workflow update execute --workflow-id chat/support/default/2 --name respond \
 *       --input '{"requestId": "question-1", "response": {"message": "…", "end": true}, "by": "anna"}'
 */
import assert from 'node:assert/strict';
import { defineAgent, defineOrchestration, defineTool, textOf } from 'ostinato';
import { connect, type RunHandle } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

process.env.OSTINATO_TASK_QUEUE = 'support-chat';

const orderStatus = defineTool({
  name: 'order_status',
  description: 'Where an order is.',
  input: z.object({ order: z.string() }),
  run: ({ order }) => `Order ${order} was shipped on Monday and arrives tomorrow.`,
});

const assistant = defineAgent({
  name: 'assistant',
  instructions: 'You look orders up with order_status. Answer in one sentence, and complete the task with complete_task.',
  tools: [orderStatus],
});
const desk = defineAgent({
  name: 'desk',
  description: 'Complaints: a parcel that arrived broken, and customers who want to talk to a person.',
  instructions: 'You say in one sentence what the customer wants. A colleague reads it and answers the customer.',
});

const support = defineOrchestration({
  name: 'support',
  pattern: 'handoff',
  agents: [assistant, desk],
  options: {
    handoffs: { assistant: ['desk'] },
    // Whoever only says something, and does not complete the task, is answered by a person.
    person: { timeout: '2 days' },
  },
});

await using _worker = await startWorker({ orchestrations: [support] });
await using client = await connect();

/** The colleague: somewhere else, whenever there is time. With `end` the conversation is the assistant's again. */
async function takeOver(run: RunHandle): Promise<void> {
  await run.interact({
    by: 'anna',
    onRequest: ({ prompt }) => {
      console.log(`(for a colleague: ${prompt})`);
      return { message: 'Anna here. I am sorry! Another kettle is on its way and arrives on Friday.', end: true };
    },
  });
}

/** The customer: each message is a run, which goes on with the conversation of the one before. */
async function say(text: string, before?: RunHandle): Promise<RunHandle> {
  console.log(`\n> ${text}`);
  const run = await client.start(support, { task: text, ...(before && { conversation: before.id }) });
  const [{ status }] = await Promise.all([run.result(), takeOver(run)]);
  assert.equal(status, 'completed');
  const { who, words } = (await said(run)).at(-1)!;
  console.log(`${who}: ${words}`);
  return run;
}

async function said(run: RunHandle): Promise<{ who: string; words: string }[]> {
  const all = (await run.transcript()).map(({ message }) => ({ who: message.authorName ?? message.role, words: textOf(message) }));
  return all.filter(({ words }) => words !== '');
}

const first = await say('When does my order A42 arrive?');
const second = await say('My parcel arrived broken, and I want to talk to a person.', first);
const third = await say('When does my order B7 arrive?', second);

// What she said is a part of the conversation, and the assistant goes on after her.
const speakers = (await said(third)).map(({ who }) => who);
console.log(`\n${speakers.join(' → ')}`);
assert.deepEqual(speakers.slice(-3), ['anna', 'user', 'assistant']);
