/** A conversation that is left and picked up again: same agent, same key, same session. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { defineAgent } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'session';

const librarian = defineAgent({ name: 'librarian', instructions: 'You remember what you are told and answer questions about it.' });
const key = `visit-${randomUUID()}`;

await using _worker = await startWorker({ agents: [librarian] });

{
  await using client = await connect();
  const session = client.session('librarian', key);
  await session.say('Robert Bruce found wild tea plants in Assam in 1823.');
}

// Another process, another day: nothing but the key is needed.
await using client = await connect();
const session = client.session('librarian', key);
const { reply } = await session.say('When did Robert Bruce find tea plants?', { onDelta: (text) => process.stdout.write(text) });
assert.match(reply, /1823/);

console.log(`\n\n${session.id} holds ${(await session.transcript()).length} messages; it stays open until somebody cancels it.`);
await session.cancel();
