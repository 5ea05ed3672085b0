/** A physicist and a chemist answer side by side; a function makes one text of both. Needs a Temporal server: `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent, defineFunction, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'concurrent';

const physicist = defineAgent({ name: 'physicist', instructions: 'You are a physicist. You extract the two facts that matter to you.' });
const chemist = defineAgent({
  name: 'chemist',
  instructions: 'You are a chemist. You say in one sentence, in short, what matters to you.',
});
const join = defineFunction<{ results: { member: string; output: string }[] }>({
  name: 'join',
  description: 'One text of all answers, in the order of the agents.',
  run: ({ results }) => results.map(({ member, output }) => `${member}:\n${output}`).join('\n\n'),
});
const panel = defineOrchestration({
  name: 'panel',
  pattern: 'concurrent',
  agents: [physicist, chemist],
  options: { memberTimeout: '2 minutes', aggregator: { function: join } },
});

await using _worker = await startWorker({ orchestrations: [panel] });
await using client = await connect();

const task = `What is temperature?

Temperature says how fast the particles of a body move on average. A thermometer shows it because its liquid expands when it is warmed.
In a gas the pressure rises with it as long as the volume stays the same. Reactions run faster when it rises: ten degrees more often
double their speed. Below its freezing point a liquid becomes a solid, because its particles no longer leave their places.`;
const run = await client.start(panel, { task });
run.onMessage(({ agent }) => console.log(`(${agent} is done.)`));

const { status, output, rounds } = await run.result();
console.log(`\n${String(output)}`);
assert.equal(status, 'completed');
assert.equal(rounds, 2);
// In the order of the agents, whoever was done first.
assert.match(String(output), /^physicist:\n[^]*(?:particles|temperature)[^]*\n\nchemist:\n[^]*(?:particles|temperature)/i);
