/** Asks a run where it is and what was said, with Temporal's own client. Also after it has ended, as long as a worker runs. */
import { Client, Connection } from '@temporalio/client';
import type { Message, RunStatus, TranscriptPage } from 'ostinato';

const [workflowId] = process.argv.slice(2);
if (workflowId === undefined) throw new Error('Which run? npx tsx examples/query.ts <workflow id>');

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const client = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });
const handle = client.workflow.getHandle(workflowId);

const status = await handle.query<RunStatus>('status');
console.log(`${status.pattern}, ${status.status}, ${status.rounds} turns, ${status.usage.totalTokens} tokens`);

// A page of what was said; the next one begins after `next`.
const page = await handle.query<TranscriptPage, [object]>('transcript', { after: 0, limit: 20 });
const words = ({ contents }: Message) => contents.map((content) => (content.$type === 'text' ? content.text : '')).join('');
for (const { message } of page.entries) console.log(`${message.authorName ?? message.role}: ${words(message)}`);
await connection.close();
