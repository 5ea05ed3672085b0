/** A manager chooses who speaks next, and says when they are done. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'selector';

const analyst = defineAgent({
  name: 'analyst',
  description: 'Extracts the facts of a text.',
  instructions: 'You extract the facts of a text.',
});
const writer = defineAgent({
  name: 'writer',
  description: 'Writes an article from facts.',
  instructions: 'You write an article from facts.',
});
const editor = defineAgent({
  name: 'editor',
  description: 'Shortens an article.',
  instructions: 'You shorten an article to three sentences.',
});
const chair = defineAgent({
  name: 'chair',
  instructions: 'You lead the conversation. It is over when an article was written and shortened.',
});
const desk = defineOrchestration({
  name: 'desk',
  pattern: 'groupChat',
  agents: [analyst, writer, editor],
  options: { manager: { agent: chair }, maxRounds: 3 },
});

await using _worker = await startWorker({ orchestrations: [desk] });
await using client = await connect();

const task = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const run = await client.start(desk, { task });

const chosen: string[] = [];
for await (const event of run.watch()) {
  if (event.type === 'speaker.chosen') {
    chosen.push(event.speaker);
    console.log(`${event.speaker} speaks, chosen by ${event.by}${event.reason ? `: ${event.reason}` : ''}`);
  }
}

const { output, rounds } = await run.result();
console.log(`\n${String(output)}`);
const said = (await run.transcript()).slice(1).map(({ message }) => message.authorName);
assert.deepEqual(said, chosen, 'whoever was chosen has spoken, and nobody else');
assert.equal(rounds, chosen.length);
assert.ok(
  chosen.every((speaker, i) => speaker !== chosen[i - 1]),
  'nobody speaks twice in a row',
);
assert.match(String(output), /Harrison|longitude|clock/i);
