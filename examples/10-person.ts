/**
 * An agent asks, and a person answers: here with nothing but Temporal's own client, as any program in any language could, today or
 * in a year. Needs a Temporal server: `npx ostinato dev`.
 */
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import { defineAgent, type RequestView, type RespondInput } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'person';

const clerk = defineAgent({ name: 'clerk', instructions: 'You take orders for tea, and ask for what you have to know.' });

await using _worker = await startWorker({ agents: [clerk] });
await using client = await connect();
const run = await client.start('handoff', {
  agents: ['clerk'],
  task: 'I would like to order tea.',
  options: { person: { timeout: '1 day' } },
});

// From here on, the person: somewhere else, with the id of the run.
const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const temporal = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });
const handle = temporal.workflow.getHandle(run.id);

async function question(): Promise<RequestView> {
  for (;;) {
    const requests = await handle.query<RequestView[]>('requests');
    const open = requests.find(({ status }) => status === 'pending');
    if (open) return open;
    await sleep(300);
  }
}

async function answer(response: RespondInput['response']): Promise<void> {
  const { requestId, prompt } = await question();
  console.log(`${prompt}\n> ${JSON.stringify(response)}`);
  const answer: RespondInput = { requestId, response, by: 'anna' };
  await handle.executeUpdate('respond', { args: [answer] });
}

await answer('Two pounds of Assam, please.');
await answer({ message: 'That is all.', end: true });

const { status, rounds } = await run.result();
await connection.close();
assert.equal(status, 'completed');
assert.equal(rounds, 2);

// What she said is a part of the conversation.
const said = (await run.transcript()).map(({ message }) => message.authorName ?? message.role);
assert.deepEqual(said, ['user', 'clerk', 'anna', 'clerk', 'anna']);
