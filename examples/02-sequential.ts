/** An orchestration of your own, watched while it runs. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'sequential';

const reader = defineAgent({ name: 'reader', instructions: 'You extract the facts of a text, as a list.' });
const editor = defineAgent({ name: 'editor', instructions: 'You shorten what you are given to two sentences.' });
const digest = defineOrchestration({ name: 'digest', pattern: 'sequential', agents: [reader, editor] });

await using _worker = await startWorker({ orchestrations: [digest] });
await using client = await connect();

const task = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const run = await client.start(digest, { task });

const speakers: (string | undefined)[] = [];
for await (const event of run.watch()) {
  if (event.type === 'turn.started') {
    speakers.push(event.agent);
    console.log(`\n${event.agent}:`);
  }
  if (event.type === 'delta') process.stdout.write(event.text);
}

const { status, output } = await run.result();
assert.equal(status, 'completed');
assert.deepEqual(speakers, ['reader', 'editor']);
assert.match(String(output), /Harrison|longitude|clock/i);
