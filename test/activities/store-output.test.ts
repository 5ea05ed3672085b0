import { describe, expect, test } from 'vitest';
import { createStoreOutput } from '../../src/activities/store-output.js';
import { textOf, type Message } from '../../src/contract/message.js';
import { activityEnvironment, failureFrom } from '../support/activity.js';
import { memoryStore } from '../support/memory-store.js';

function world() {
  const store = memoryStore();
  const { run } = activityEnvironment({ workflowExecution: { workflowId: 'run-1', runId: 'r' } });
  const storeOutput = createStoreOutput({ store });
  return { store, take: (input: object) => run(storeOutput, { firstRunId: 'first', agent: 'panel', ...input }) };
}

describe('storeOutput', () => {
  test('makes words of the member, with everything in the store', async () => {
    const { store, take } = world();

    const { message, blob, cut } = await take({ output: [{ member: 'a', output: 'x'.repeat(80_000) }] });

    expect(message).toMatchObject({ role: 'assistant', authorName: 'panel' });
    expect(cut).toBe(true);
    const whole = JSON.parse(store.texts.get(blob ?? '') ?? '') as Message;
    expect(JSON.parse(textOf(whole))).toEqual([{ member: 'a', output: 'x'.repeat(80_000) }]);
  });

  test('takes what another run has put into the store, and says it under the name of the member', async () => {
    const { store, take } = world();
    const said = { role: 'assistant', authorName: 'writer', contents: [{ $type: 'text', text: 'y'.repeat(80_000) }] };
    const artifact = await store.blobs.put(JSON.stringify(said));

    const { blob } = await take({ artifact });

    expect(JSON.parse(store.texts.get(blob ?? '') ?? '')).toMatchObject({ authorName: 'panel', contents: said.contents });
  });

  test('makes the result of a call, which is cut to what an agent gets to hear', async () => {
    const { message } = await world().take({ output: 'z'.repeat(40_000), callId: 'call-1' });

    expect(message).toMatchObject({ role: 'tool', authorName: 'panel' });
    expect(message.contents).toEqual([
      { $type: 'functionResult', callId: 'call-1', result: `${'z'.repeat(32_000)} … (cut: it has 40000 characters)` },
    ]);
  });

  test('waits for a store that has lost it', async () => {
    expect(await failureFrom(world().take({ artifact: 'nowhere' }))).toMatchObject({ type: 'Store.Unavailable', nonRetryable: false });
  });
});
