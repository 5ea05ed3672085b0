/** The same work as `history.ts` does, done the usual way: every model call is given the conversation. */
import { fileURLToPath } from 'node:url';
import { NativeConnection, Worker } from '@temporalio/worker';
import { WorkflowFailedError } from '@temporalio/client';
import { historySize, kb, words, type Bench } from './support.js';

export interface PassingInput {
  conversation: unknown[];
  calls: number;
  resultBytes: number;
}

export async function passTheConversation({ client, address }: Bench, input: PassingInput) {
  const connection = await NativeConnection.connect({ address });
  let asked = 0;
  const worker = await Worker.create({
    connection,
    taskQueue: 'passing',
    workflowsPath: fileURLToPath(new URL('./passing-workflow.ts', import.meta.url)),
    activities: {
      askModel: async () => ({
        role: 'assistant',
        contents: [{ $type: 'functionCall', callId: `call_${++asked}`, name: 'lookup', arguments: { n: asked } }],
      }),
      lookUp: async (n: number) => ({
        role: 'tool',
        contents: [{ $type: 'functionResult', callId: `call_${n}`, result: words(input.resultBytes, 10_000 + n) }],
      }),
    },
  });
  const running = worker.run();
  const handle = await client.workflow.start('passing', { workflowId: `passing-${Date.now()}`, taskQueue: 'passing', args: [input] });
  const began = performance.now();
  const outcome = await handle.result().then(
    () => 'completed',
    (error: unknown) => (error instanceof WorkflowFailedError ? `killed by the server at call ${asked}` : String(error)),
  );
  const seconds = (performance.now() - began) / 1000;
  const { bytes, events, executions } = await historySize(client, handle.workflowId, handle.firstExecutionRunId);
  worker.shutdown();
  await running;
  await connection.close();
  return {
    what: 'by passing the conversation',
    calls: asked,
    outcome,
    history: kb(bytes),
    'distinct messages': '',
    'history / (distinct + 4 KB per call)': '',
    'queries per call': '',
    events,
    executions,
    seconds: seconds.toFixed(1),
  };
}
