/** Typed from the task to the result: zod schemas on both ends, and a function of your own between. Needs `npx ostinato dev`. */
import assert from 'node:assert/strict';
import { defineAgent, defineFunction, defineOrchestration } from 'ostinato';
import { connect } from 'ostinato/client';
import { startWorker } from 'ostinato/worker';
import { z } from 'zod';

process.env.OSTINATO_TASK_QUEUE = 'structured';

const Notes = z.object({ meeting: z.string(), lines: z.array(z.string()).min(1), language: z.string().default('English') });
const Minutes = z.object({
  title: z.string(),
  decisions: z.array(z.string()),
  date: z.iso.date().transform((day) => new Date(day)),
});

const asLetter = defineFunction({
  name: 'asLetter',
  run: ({ meeting, lines, language }: z.output<typeof Notes>) => [
    `Notes of the meeting "${meeting}":\n\n${lines.join('\n')}`,
    `Write the minutes in ${language}.`,
  ],
});
const secretary = defineAgent({ name: 'secretary', instructions: 'You write the minutes of meetings.' });
const minutes = defineOrchestration({
  name: 'minutes',
  pattern: 'sequential',
  agents: [secretary],
  input: { schema: Notes, transform: asLetter },
  output: { schema: Minutes, from: 'conversation' },
});

await using _worker = await startWorker({ orchestrations: [minutes] });
await using client = await connect();

const lines = [
  'The meeting took place on 2026-03-14 in the harbour office.',
  'It was decided that the lighthouse gets a new lamp.',
  'It was decided that the ferry sails at seven.',
];
const run = await client.start(minutes, { task: { meeting: 'Harbour', lines } });
const result = await run.result();
assert.equal(result.status, 'completed');

// The compiler knows all of these, and that the date is one.
const { title, decisions, date } = result.output;
console.log(`${title} (${date.toDateString()})\n- ${decisions.join('\n- ')}`);
assert.equal(date.getUTCFullYear(), 2026);
assert.ok(decisions.length > 0);

// What does not fit is refused before anything starts.
const refused = await client.start(minutes, { task: { meeting: 'Harbour', lines: [] } }).catch((error: Error) => error.message);
assert.match(String(refused), /task\.lines/);
