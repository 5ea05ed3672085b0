/** Agents whose words a person looks at before their turn is over. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { textOf, type AgentDefinition, type RequestView } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { eventually } from '../../support/eventually.js';
import { devServer } from '../../support/servers.js';
import { openStage, type Stage } from '../../support/stage.js';

let environment: TestWorkflowEnvironment;
let stage: Stage;
beforeAll(async () => {
  environment = await devServer();
  stage = await openStage({ environment });
});
afterAll(async () => {
  await stage?.[Symbol.asyncDispose]();
  await environment?.teardown();
});

const start = async (agent: AgentDefinition, more: object = {}) =>
  await stage.world.client.start('sequential', { agents: [agent], task: 'Write.', ...more });
const textsOf = async (run: RunHandle) => (await run.transcript()).map(({ message }) => textOf(message));

async function asked(run: RunHandle, requestId: string): Promise<RequestView> {
  return await eventually(async () => {
    const request = (await run.requests()).find(({ status }) => status === 'pending');
    expect(request?.requestId).toBe(requestId);
    return request!;
  });
}

describe.concurrent('what an agent says', () => {
  test('is sent back with words, said anew in the same turn, and approved', async () => {
    const { agent, calls } = stage.actor(['One.', 'Two.'], { review: { role: 'editor', maxRevisions: 3 } });
    const run = await start(agent);
    expect(await asked(run, 'review-1-0')).toMatchObject({ kind: 'review', prompt: 'One.', agent: 'actor', role: 'editor' });
    await run.respond('review-1-0', { decision: 'revise', feedback: 'Shorter.' }, { by: 'ann' });
    await asked(run, 'review-1-1');
    await environment.client.workflow.getHandle(run.id).signal('respond', { requestId: 'review-1-1', response: 'approve' });

    expect(await run.result()).toMatchObject({ output: 'Two.', rounds: 1 });
    expect(await textsOf(run)).toEqual(['Write.', 'One.', 'Shorter.', 'Two.']);
    expect(calls[1]?.heard('assistant', 'One.')).toBe(true);
    expect(calls[1]?.heard('ann', 'Shorter.')).toBe(true);
    const { data } = await run.agentState();
    expect(data.conversationHistory).toHaveLength(2);
  });

  test('is not revised more often than is allowed: that answer is refused, and the request still waits', async () => {
    const { agent } = stage.actor(['One.', 'Two.'], { review: { maxRevisions: 1 } });
    const run = await start(agent);
    await asked(run, 'review-1-0');
    await run.respond('review-1-0', { decision: 'revise' });
    await asked(run, 'review-1-1');

    await expect(run.respond('review-1-1', { decision: 'revise' })).rejects.toMatchObject({
      type: 'Input.Invalid',
      message: /still waits/,
    });
    await expect(run.respond('review-1-1', { decision: 'approve', feedback: 'x'.repeat(9000) })).rejects.toMatchObject({
      type: 'Input.Invalid',
    });
    await run.respond('review-1-1', 'approve');

    expect(await run.result()).toMatchObject({ output: 'Two.' });
  });

  test('fails its turn when it is rejected, or when nobody looks at it in time', async () => {
    const rejected = stage.actor(['One.'], { review: true });
    const late = stage.actor(['One.'], { review: { timeout: '1 second' } });
    const failing = stage.actor(['One.'], { review: { timeout: '1 second', onTimeout: 'fail' } });
    const approved = stage.actor(['One.'], { review: { timeout: '1 second', onTimeout: 'approve' } });
    const runs = await Promise.all([rejected, late, failing, approved].map(({ agent }) => start(agent)));
    await asked(runs[0]!, 'review-1-0');
    await runs[0]!.respond('review-1-0', { decision: 'reject', feedback: 'Not that.' }, { by: 'ann' });

    await expect(runs[0]!.result()).rejects.toMatchObject({
      type: 'Turn.Rejected',
      message: expect.stringContaining('ann rejected it: Not that.'),
    });
    await expect(runs[1]!.result()).rejects.toMatchObject({ type: 'Turn.Rejected' });
    await expect(runs[2]!.result()).rejects.toMatchObject({ type: 'Request.Expired' });
    expect(await runs[3]!.result()).toMatchObject({ output: 'One.' });
  });

  test('is looked at after a sleep, after the run was loaded, and after it was put back', async () => {
    const { agent } = stage.actor(['One.', 'Two.', 'Three.', 'Four.'], { review: true });
    const run = await start(agent, { sleepAfter: '1 second' });
    await asked(run, 'review-1-0');
    await run.respond('review-1-0', { decision: 'revise' });
    await asked(run, 'review-1-1');
    await eventually(async () => expect(await run.status()).toMatchObject({ asleep: expect.anything() }));
    const { snapshotId } = await run.save();
    const loaded = await stage.world.client.load(snapshotId);
    await asked(loaded, 'review-1-1');
    await loaded.respond('review-1-1', 'approve');
    expect(await loaded.result()).toMatchObject({ output: 'Two.' });

    await run.rollback({ snapshotId });
    await asked(run, 'b1:review-1-1');
    await expect(run.respond('review-1-1', 'approve')).rejects.toMatchObject({ type: 'Request.NotPending' });
    await run.respond('b1:review-1-1', { decision: 'revise', feedback: 'Once more.' });
    await asked(run, 'b1:review-1-2');
    await run.respond('b1:review-1-2', 'approve');
    expect(await run.result()).toMatchObject({ output: 'Three.' });
  });

  test('is no output of a run that ends before anybody has approved it', async () => {
    const { agent } = stage.actor(['One.'], { review: true });
    const run = await start(agent);
    await asked(run, 'review-1-0');
    await run.cancel();

    expect(await run.result()).toMatchObject({ status: 'cancelled', output: null });
    expect(await run.requests()).toMatchObject([{ status: 'withdrawn' }]);
  });
});
