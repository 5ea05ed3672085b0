/** Answers chained on one session: each request builds on the agent's own last answer. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { defineAgent } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'chaining';

const writer = defineAgent({ name: 'writer', instructions: 'You write about what you are given, and revise it when you are asked to.' });

await using _worker = await startWorker({ agents: [writer] });
await using client = await connect();

const source = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const session = client.session('writer', `chain-${randomUUID()}`);

const draft = await session.say(source);
const shorter = await session.say('Shorten it to three sentences.');
const shortest = await session.say('Shorten it to one sentence.');
for (const { reply } of [draft, shorter, shortest]) console.log(`${reply.length} characters`);
console.log(`\n${shortest.reply}`);

assert.ok(
  draft.reply.length > shorter.reply.length && shorter.reply.length > shortest.reply.length,
  'each answer is shorter than the last',
);
assert.equal((await session.transcript()).length, 6);
assert.equal((await session.status()).rounds, 3);
await session.cancel();
