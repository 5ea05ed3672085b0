/** Writer and reviewer talk until the reviewer says APPROVED. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'group-chat';

const writer = defineAgent({
  name: 'writer',
  instructions: 'You write a short text about what you are given, and revise it as the reviewer asks.',
});
const reviewer = defineAgent({
  name: 'reviewer',
  instructions: 'You are a reviewer. Say in one sentence what has to change; when nothing has to, say APPROVED.',
});
const review = defineOrchestration({
  name: 'review',
  pattern: 'groupChat',
  agents: [writer, reviewer],
  options: { maxRounds: 8 },
  // The task itself may say the word: only what agents say counts, and of these the reviewer.
  termination: { type: 'textMention', text: 'APPROVED', sources: ['reviewer'] },
});

await using _worker = await startWorker({ orchestrations: [review] });
await using client = await connect();

const task = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const run = await client.start(review, { task });
run.onMessage(({ agent, text }) => console.log(`\n${agent}: ${text}`));

const { status, stopReason, rounds } = await run.result();
console.log(`\n${stopReason.message}`);
assert.equal(status, 'completed');
assert.equal(stopReason.code, 'condition', 'the reviewer has approved');
assert.ok(rounds >= 4, 'the writer has revised the text at least once');
const said = await run.transcript();
assert.deepEqual(
  said.slice(1).map(({ message }) => message.authorName),
  Array.from({ length: rounds }, (_, i) => (i % 2 === 0 ? 'writer' : 'reviewer')),
);
