/**
 * A writer whose text an editor approves, or sends back with words: within 72 hours, otherwise the run fails. Here by signals of Temporal's
 * own client, as `temporal workflow signal --name respond` sends them. Needs a Temporal server: `npx ostinato dev`.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { Client, Connection } from '@temporalio/client';
import { defineAgent, type RespondInput } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'content-review';

const writer = defineAgent({
  name: 'writer',
  instructions: 'You write a short article about what you are given.',
  review: { role: 'editor', timeout: '72 hours', remind: '1 day', onTimeout: 'fail', maxRevisions: 3 },
});

await using _worker = await startWorker({ agents: [writer] });
await using client = await connect();
const text = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const run = await client.start('sequential', { agents: ['writer'], task: `Write about this:\n\n${text}` });

// The editor: somewhere else, with the id of the run.
const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const temporal = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });
const answers: RespondInput['response'][] = [{ decision: 'revise', feedback: 'Please make it shorter.' }, 'approve'];
const drafts: string[] = [];

for await (const event of run.watch()) {
  if (event.type !== 'request.opened') continue;
  drafts.push(event.prompt);
  const answer: RespondInput = { requestId: event.requestId, response: answers.shift() ?? 'reject', by: 'anna' };
  console.log(`${event.prompt}\n> ${JSON.stringify(answer.response)}\n`);
  await temporal.workflow.getHandle(run.id).signal('respond', answer);
}
await connection.close();

const { output, rounds } = await run.result();
assert.equal(rounds, 1, 'drafts and feedback are one turn');
assert.equal(drafts.length, 2);
assert.notEqual(drafts[0], drafts[1]);
assert.ok(String(output).startsWith(drafts[1]?.slice(0, 100) ?? ''));
assert.deepEqual(
  (await run.requests()).map(({ requestId, status, by }) => [requestId, status, by]),
  [
    ['review-1-0', 'answered', 'anna'],
    ['review-1-1', 'answered', 'anna'],
  ],
);
