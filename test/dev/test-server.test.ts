import { afterAll, beforeAll, expect, test } from 'vitest';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { timeSkippingServer } from '../support/servers.js';

let env: TestWorkflowEnvironment;
beforeAll(async () => {
  env = await timeSkippingServer();
});
afterAll(() => env.teardown());

test('the time-skipping server sleeps two days in no time', async () => {
  const before = await env.currentTimeMs();

  await env.sleep('2 days');

  expect((await env.currentTimeMs()) - before).toBeGreaterThanOrEqual(2 * 24 * 60 * 60 * 1000);
});
