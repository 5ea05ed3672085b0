/** A manager plans, a person reviews the plan, a team works by it. Needs a Temporal server: `npx ostinato dev` starts one. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { defineAgent, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';

process.env.OSTINATO_TASK_QUEUE = 'magentic';

const reader = defineAgent({ name: 'reader', description: 'Extracts the facts of a text.', instructions: 'You extract facts, as a list.' });
const critic = defineAgent({
  name: 'critic',
  description: 'Says what is missing.',
  instructions: 'You say in a sentence what is missing.',
});
const editor = defineAgent({
  name: 'editor',
  description: 'Shortens texts.',
  instructions: 'You shorten what you are given to two sentences.',
});
const research = defineOrchestration({
  name: 'research',
  pattern: 'magentic',
  agents: [reader, critic, editor],
  options: { planReview: { timeout: '1 hour' }, maxRounds: 10 },
});

await using _worker = await startWorker({ orchestrations: [research] });
await using client = await connect();

const text = await readFile(new URL('documents/longitude.md', import.meta.url), 'utf8');
const run = await client.start(research, { task: `Explain how longitude was found at sea:\n\n${text}` });

// The person: wants one change, then agrees. It could be another process, days later.
const answers = [{ decision: 'revise', feedback: 'Do it without the critic.' }, 'approve'];
const plans: string[] = [];
const speakers: (string | undefined)[] = [];
for await (const event of run.watch()) {
  if (event.type === 'plan.made') plans.push(event.plan);
  if (event.type === 'request.opened') {
    console.log(`${event.prompt.split('\n\n')[0]}\n`);
    await run.respond(event.requestId, answers.shift() ?? 'reject', { by: 'anna' });
  }
  if (event.type === 'progress.judged') console.log(`The manager: ${event.reason ?? ''} ${event.speaker ? `Next: ${event.speaker}.` : ''}`);
  if (event.type === 'turn.completed') speakers.push(event.agent);
}

const { status, output } = await run.result();
console.log(`\n${String(output)}`);
assert.equal(status, 'completed');
assert.match(plans[0] ?? '', /critic/);
assert.equal(plans.length, 2);
assert.deepEqual(speakers, ['reader', 'editor', 'manager']);
assert.match(String(output), /Harrison|longitude|clock/i);
