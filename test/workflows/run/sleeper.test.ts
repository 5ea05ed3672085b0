/** Runs that wait for long, and sleep meanwhile: what wakes them, what does not, and that nobody notices. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { defineAgent } from '../../../src/index.js';
import type { RunHandle } from '../../../src/client.js';
import { eventually } from '../../support/eventually.js';
import { timeSkippingServer } from '../../support/servers.js';
import { openWorld, type World } from '../../support/world.js';

let environment: TestWorkflowEnvironment;
beforeAll(async () => {
  environment = await timeSkippingServer();
});
afterAll(async () => {
  await environment?.teardown();
});

const clerk = defineAgent({ name: 'clerk', instructions: 'Ask.', model: 'clerk' });
const open = (more: object = {}) => openWorld({ environment, agents: [clerk], script: ({ messages }) => `heard ${messages.at(-1)?.content}`, ...more });
const startDesk = (world: World, more: object = {}, person: object | true = true) =>
  world.client.start('handoff', { agents: ['clerk'], task: 'tea', options: { person }, ...more });

async function untilAsleep(run: RunHandle, forHow = '2 hours'): Promise<void> {
  await eventually(async () => expect((await run.status()).requests).toHaveLength(1));
  await environment.sleep(forHow);
  await eventually(async () => expect(await run.status()).toMatchObject({ status: 'waiting', asleep: { snapshotId: expect.anything() } }));
}

describe('a run that waits for a person', () => {
  test('sleeps after an hour, and months later the answer wakes it where it was', async () => {
    await using world = await open();
    const run = await startDesk(world);
    await untilAsleep(run);
    await environment.sleep('200 days');

    await run.respond('question-1', { message: 'green', end: true });

    expect(await run.result()).toMatchObject({ output: 'heard tea' });
    console.log((await run.transcript()).length);
  });
});
