/** What if: a fork tries one way, and the conversation itself goes back and takes another. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defineAgent } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'fork-and-rollback';

const planner = defineAgent({
  name: 'planner',
  instructions: 'You remember what you are told about a journey and answer questions about it.',
});

await using _worker = await startWorker({ agents: [planner] });
await using client = await connect();
const session = client.session('planner', randomUUID());

await session.say('The journey takes 3 days and costs 300 crowns.');
const { snapshotId } = await session.save({ label: 'before the choice' });
await session.say('We take the train to Bergen.');

// Another run, from before the choice. Both go on by themselves.
const fork = await session.fork({ snapshotId });
await fork.say('We take the boat to Turku.');
const { transcript } = await client.diff((await session.save()).snapshotId, (await fork.save()).snapshotId);
for (const { author, text } of transcript.before) console.log(`- ${author}: ${text}`);
for (const { author, text } of transcript.after) console.log(`+ ${author}: ${text}`);
assert.equal(transcript.common, 2);

// The conversation itself forgets the train. What it was before stays as a snapshot of its own.
await session.rollback({ snapshotId });
const { reply } = await session.say('What does the journey cost?');
console.log(reply);
assert.match(reply, /300/);
assert.equal((await session.transcript()).length, 4);
assert.deepEqual(
  (await session.snapshots()).map(({ reason }) => reason),
  ['rollback', 'asked', 'asked'],
);

await Promise.all([session.cancel(), fork.cancel()]);
