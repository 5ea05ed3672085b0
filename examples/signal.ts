/** Says something to a session by signal, with Temporal's own client, and asks for the reply. Opens the session when there is none. */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, Connection } from '@temporalio/client';
import type { RunInput, SayInput, TurnStatus } from 'ostinato';

const [message = 'Good morning.', workflowId = 'session/host/examples'] = process.argv.slice(2);

const connection = await Connection.connect({ address: process.env.TEMPORAL_ADDRESS ?? '127.0.0.1:7233' });
const client = new Client({ connection, namespace: process.env.TEMPORAL_NAMESPACE ?? 'default' });

const input: RunInput<'session'> = { agents: [{ name: 'host', instructions: 'You answer in one sentence.' }] };
const said: SayInput = { message, id: randomUUID() };
const handle = await client.workflow.signalWithStart('session', {
  workflowId,
  taskQueue: process.env.OSTINATO_TASK_QUEUE ?? 'ostinato',
  args: [input],
  signal: 'say',
  signalArgs: [said],
});

// A signal has no answer; the turn has the id that the message was given.
let turn: TurnStatus;
do {
  await sleep(300);
  turn = await handle.query<TurnStatus, [object]>('turn', { turnId: said.id });
} while (turn.status !== 'completed' && turn.status !== 'failed');

console.log(turn.reply ?? turn.failure?.message);
await connection.close();
