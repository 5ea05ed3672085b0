import { describe, expect, test } from 'vitest';
import { createLookUpRun } from '../../src/activities/look-up-run.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';

const named = (name: string, message: string, cause?: unknown) => Object.assign(new Error(message, { cause }), { name });

/** Temporal as `describe` and `result` of one run show it. */
function look(
  input: { ends?: true; presence?: true },
  { status = 'RUNNING', result }: { status?: string | Error; result?: () => Promise<unknown> },
) {
  const asked: string[] = [];
  const handle = {
    describe: () => (status instanceof Error ? Promise.reject(status) : Promise.resolve({ status: { name: status } })),
    result: () => {
      asked.push('result');
      return result ? result() : Promise.reject(new Error('nobody asked'));
    },
  };
  const client = { workflow: { getHandle: () => handle }, withAbortSignal: (_: AbortSignal, body: () => unknown) => body() };
  const { environment, run } = activityEnvironment({ workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  Object.defineProperty(environment.context, 'client', { value: client });
  const lookUpRun = createLookUpRun({ store: memoryStore() });
  return { asked, found: run(lookUpRun, { firstRunId: 'first', workflowId: 'run-1/2-panel', ...input }) };
}

describe('lookUpRun', () => {
  test.each(['RUNNING', 'CONTINUED_AS_NEW', 'PAUSED'])('a run that is %s is open, and is not waited for', async (status) => {
    const { asked, found } = look({}, { status });

    expect(await found).toEqual({ status: 'open' });
    expect(asked).toEqual([]);
  });

  test('of one that has ended it tells the result', async () => {
    const { found } = look({}, { status: 'COMPLETED', result: () => Promise.resolve({ output: 'two' }) });

    expect(await found).toEqual({ status: 'ended', result: { output: 'two' } });
  });

  test('of one that says that it ends the end is waited for', async () => {
    const { found } = look({ ends: true }, { result: () => Promise.resolve({ output: 'two' }) });

    expect(await found).toEqual({ status: 'ended', result: { output: 'two' } });
  });

  test('of one that has failed it tells the type; of one that was terminated, that there is none', async () => {
    const failed = named('WorkflowFailedError', 'x', { type: 'Model.Refused', message: 'bad key' });
    expect(await look({}, { status: 'FAILED', result: () => Promise.reject(failed) }).found).toEqual({
      status: 'failed',
      failure: { type: 'Model.Refused', message: 'bad key' },
    });
    const terminated = named('WorkflowFailedError', 'x', new Error('terminated'));
    expect(await look({}, { status: 'TERMINATED', result: () => Promise.reject(terminated) }).found).toMatchObject({
      failure: { type: 'Run.Failed' },
    });
  });

  test('one that Temporal does not know has failed, or is not there', async () => {
    const unknown = named('WorkflowNotFoundError', 'x');

    expect(await look({}, { status: unknown }).found).toMatchObject({ status: 'failed', failure: { type: 'Nested.Failed' } });
    expect(await look({ presence: true }, { status: unknown }).found).toEqual({ status: 'closed' });
  });

  test('whether a run is there is told without its result', async () => {
    const { asked, found } = look({ presence: true }, { status: 'COMPLETED' });

    expect(await found).toEqual({ status: 'closed' });
    expect(await look({ presence: true }, {}).found).toEqual({ status: 'open' });
    expect(asked).toEqual([]);
  });

  test('a server that does not answer is asked again', async () => {
    const failure = await failureFrom(look({}, { status: new Error('unavailable') }).found);

    expect(failure).toMatchObject({ type: 'Store.Unavailable', nonRetryable: false });
  });
});
