/** Starts a run with Temporal's own client. Needs a server and a worker: `npx ostinato dev`. */
import { randomUUID } from 'node:crypto';
import { Client, Connection } from '@temporalio/client';
import type { RunInput, RunResult } from 'ostinato';

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const client = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });

// The agents travel with the input, so any worker can do it.
const input: RunInput<'sequential'> = {
  agents: [
    { name: 'writer', instructions: 'You write a short article about what you are told.' },
    { name: 'editor', instructions: 'You shorten the article.' },
  ],
  task: 'Write about tea: In 1823 Robert Bruce found wild tea plants in Assam. The first 12 chests reached London in 1838.',
};

const handle = await client.workflow.start('sequential', {
  workflowId: process.argv[2] ?? `sequential/${randomUUID().slice(0, 8)}`,
  taskQueue: process.env.OSTINATO_TASK_QUEUE ?? 'ostinato',
  args: [input],
});
console.log(`Started ${handle.workflowId}`);

const result = (await handle.result()) as RunResult;
console.log(result.output);
console.log(`\nLook at it:  npx tsx examples/query.ts ${handle.workflowId}`);
await connection.close();
