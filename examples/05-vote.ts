/** Three readers judge a message: the majority has it, and whoever fails has no vote. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'vote';

const reader = (name: string, spam: string, mail: string) =>
  defineAgent({ name, instructions: `You classify messages. Answer with one word:\n- spam: ${spam}\n- mail: ${mail}` });
const jury = defineOrchestration({
  name: 'jury',
  pattern: 'concurrent',
  agents: [
    reader('strict', 'a prize, a winner, money', 'a meeting, a question'),
    reader('careful', 'a link to click, a hurry', 'a colleague, a report'),
    reader('kind', 'a threat, a password', 'a greeting, a prize'),
  ],
  options: { aggregator: 'vote', failurePolicy: 'collect' },
});

await using _worker = await startWorker({ orchestrations: [jury] });
await using client = await connect();

const run = await client.start(jury, { task: 'You are the winner of our prize! Hurry: click the link to get your money.' });
const votes: { vote: string; members: string[] }[] = [];
for await (const event of run.watch()) if (event.type === 'votes.counted') votes.push(...event.votes);

const { status, output } = await run.result();
for (const { vote, members } of votes) console.log(`${vote}: ${members.join(', ')}`);
assert.equal(status, 'completed');
assert.equal(output, 'spam');
assert.deepEqual(
  votes.map(({ vote, members }) => [vote, members.length]),
  [
    ['spam', 2],
    ['mail', 1],
  ],
);
