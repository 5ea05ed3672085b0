/** Whoever starts a workflow as if another run had started it gets a typed failure. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunInput } from '../../../src/index.js';
import { timeSkippingServer } from '../../support/servers.js';
import { openWorld } from '../../support/world.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const agent = (name: string) => ({ name, instructions: `You are ${name}.`, model: name });

describe('a workflow started directly as if it were nested', () => {
  const root = { workflowId: 'w', firstRunId: 'r' };
  const forged = { parent: 'nobody', operationId: 'op-1', prepared: 'x', root };
  const head = { part: 'p', length: 3 };
  const inherited = { head, length: 3, as: 'a', from: 0, to: 3, lastTurn: 1 };

  test.each([
    ['nothing', {}, 'nested.parent'],
    ['a text', 'x', 'nested'],
    ['no parent', { ...forged, parent: '' }, 'nested.parent'],
    ['a parent that cannot be', { ...forged, parent: 'é'.repeat(600) }, 'nested.parent'],
    ['less than no tokens', { ...forged, limits: { tokens: -1 } }, 'nested.limits.tokens'],
    ['a length without a head', { ...forged, inherited: { ...inherited, head: null } }, 'nested.inherited.length'],
    ['a head without a length', { ...forged, inherited: { ...inherited, head: { part: 'p', length: 0 }, length: 0 } }, 'inherited.length'],
    ['something that nobody has prepared', forged, 'The store has no run x'],
  ])('with %s fails, typed, and is not tried for ever', async (_, nested, problem) => {
    await using world = await openWorld({ environment });

    const running = environment.client.workflow.execute('sequential', {
      workflowId: `forged-${Math.random()}`,
      taskQueue: world.taskQueue,
      args: [{ nested }],
    });

    const failure = (await running.catch((error: unknown) => error)) as { cause: { type: string; message: string } };
    expect(failure.cause.type).toMatch(/^(Input\.Invalid|Store\.Unavailable)$/);
    expect(failure.cause.message).toContain(problem);
  });

  test('with what was prepared for another pattern, or a transcript that is none, fails as well', async () => {
    await using world = await openWorld({ environment, script: { a: ['one'], b: ['two', 'three'] } });
    const agents = [agent('a'), { name: 'panel', pattern: 'sequential', agents: [agent('b')] }];
    const run = await world.client.start('sequential', { task: 'go', agents } as RunInput);
    await run.result();
    const history = await environment.client.workflow.getHandle(`${run.id}/2-panel`).fetchHistory();
    const payload = history.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0]?.data;
    const { nested } = JSON.parse(Buffer.from(payload as Uint8Array).toString()) as { nested: { inherited: { head: object } } };
    const startWith = (pattern: string, changed: object) =>
      environment.client.workflow
        .execute(pattern, {
          workflowId: `forged-${Math.random()}`,
          taskQueue: world.taskQueue,
          args: [{ nested: { ...nested, parent: 'nobody', ...changed } }],
        })
        .catch((error: unknown) => (error as { cause: unknown }).cause);

    expect(await startWith('routing', {})).toMatchObject({ type: 'Input.Invalid' });
    const wrong = { ...nested.inherited, head: { ...nested.inherited.head, length: 7 }, length: 7 };
    expect(await startWith('sequential', { inherited: wrong })).toMatchObject({ type: 'Input.Invalid' });
    expect(await startWith('sequential', { inherited: { ...wrong, head: { part: 'none', length: 7 } } })).toMatchObject({
      type: 'Store.Unavailable',
    });
    // One that is as it should be ends by itself when it finds nobody above.
    expect(await startWith('sequential', {})).toMatchObject({ status: 'completed' });
  });
});
