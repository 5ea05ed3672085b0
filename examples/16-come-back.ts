/**
 * A conversation that is saved in one process and gone on with in another, which needs nothing but the id of the snapshot. Run it
 * without an id first; it prints the command to come back with. Needs a Temporal server: `npx ostinato dev`.
 */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defineAgent } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'come-back';

const librarian = defineAgent({ name: 'librarian', instructions: 'You remember what you are told and answer questions about it.' });
const [snapshot] = process.argv.slice(2);

await using _worker = await startWorker({ agents: [librarian] });
await using client = await connect();

if (snapshot === undefined) {
  const session = client.session('librarian', randomUUID());
  await session.say('Robert Bruce found wild tea plants in Assam in 1823.');
  const { snapshotId } = await session.save({ label: 'until tomorrow' });
  // The run may end: a snapshot outlives it.
  await session.cancel();
  console.log(`Come back with:  npx tsx examples/16-come-back.ts ${snapshotId}`);
} else {
  const run = await client.load(snapshot);
  const { reply } = await run.say('When did Robert Bruce find tea plants?');
  console.log(reply);
  assert.match(reply, /1823/);
  await run.cancel();
}
