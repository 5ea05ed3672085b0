import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../../src/client.js';
import { defineAgent, textOf } from '../../../src/index.js';
import { openWorld } from '../../support/world.js';
import { timeSkippingServer } from '../../support/servers.js';

// A server for each test: what one leaves undone would keep it from skipping time in the next.
let environment: TestWorkflowEnvironment;
beforeEach(async () => {
  environment = await timeSkippingServer();
});
afterEach(async () => {
  await environment?.teardown();
});

const member = (name: string) => defineAgent({ name, instructions: `You are ${name}.`, model: name });
const team = [member('a'), member('b')];
/** Asks a person whom nobody told. */
const desk = { name: 'desk', pattern: 'handoff', agents: ['a'], options: { person: true } } as const;

describe('a member that never answers', () => {
  test('one that waits for a person who never answers has failed after its time', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['which one?'], b: ['two'] } });

    const run = await world.client.start('concurrent', {
      agents: [{ ...desk, agents: ['a'] }, 'b'],
      task: 'go',
      options: { failurePolicy: 'collect', memberTimeout: '2 days' },
    });

    expect((await run.result()).output).toMatchObject([{ member: 'desk', failure: { type: 'Turn.TimedOut' } }, { output: 'two' }]);
    expect((await run.requests()).map(({ status }) => status)).toEqual(['withdrawn']);
    const { operations } = await run.status();
    expect(operations).toEqual([]);
    expect(await world.client.attach(`${run.id}/1-desk`).result()).toMatchObject({ status: 'cancelled', output: 'which one?' });
  });

  test('its time fails the run with failFast', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['which one?'] } });

    const run = await world.client.start('concurrent', {
      agents: [{ ...desk, agents: ['a'] }],
      task: 'go',
      options: { memberTimeout: '1 hour' },
    });

    await expect(run.result()).rejects.toMatchObject({ type: 'Turn.TimedOut', message: 'desk: desk did not answer within 3600000 ms.' });
    expect(await world.client.attach(`${run.id}/1-desk`).result()).toMatchObject({ status: 'cancelled', output: 'which one?' });
  });

  test('keeps the time of its members', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['which one?'], b: ['two'] }, historyEvents: 5 });

    const run = await world.client.start('concurrent', {
      agents: [{ ...desk, agents: ['a'] }, 'b'],
      task: 'go',
      options: { failurePolicy: 'collect', memberTimeout: '2 days' },
    });

    expect((await run.result()).output).toMatchObject([
      { member: 'desk', failure: { type: 'Turn.TimedOut', message: 'desk did not answer within 172800000 ms.' } },
      { output: 'two' },
    ]);
    expect(await world.client.attach(`${run.id}/1-desk`).result()).toMatchObject({ status: 'cancelled', output: 'which one?' });
  });

  test('of time break off who still speaks, and the result lists who was done', async () => {
    await using world = await openWorld({ environment, agents: team, script: { a: ['which one?'], b: ['two'] } });

    const run = await world.client.start('concurrent', {
      agents: [{ ...desk, agents: ['a'] }, 'b'],
      task: 'go',
      limits: { time: '1 day' },
    });

    expect(await run.result()).toMatchObject({
      status: 'stopped',
      stopReason: { code: 'limit.time' },
      output: [{ member: 'b', output: 'two' }],
    });
    expect(await world.client.attach(`${run.id}/1-desk`).result()).toMatchObject({ status: 'cancelled', output: 'which one?' });
  });
});

describe('replies that come at the same time', () => {
  const workflowsPath = fileURLToPath(new URL('../../fixtures/together-workflows.ts', import.meta.url));

  test('are each known by their own place in the transcript', async () => {
    const agents = Array.from({ length: 12 }, (_, i) => ({ name: `m${i}`, instructions: 'Speak.', model: 'm' }));
    await using world = await openWorld({ environment, workflowsPath, script: () => 'here' });

    const run = await world.client.start('places', { agents, task: 'go' });
    const { output } = await run.result();

    const transcript = await (run as RunHandle<unknown>).transcript();
    expect((output as [string, number][]).map(([name, place]) => [name, transcript[place]?.message.authorName])).toEqual(
      agents.map(({ name }) => [name, name]),
    );
    expect(transcript.map(({ message }) => textOf(message))).toEqual(['go', ...agents.map(() => 'here')]);
  });
});
