/** Temporal servers for tests. Both return the SDK's environment: `client`, `nativeConnection`, and `teardown` for `afterAll`. */
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { inject } from 'vitest';
import { loadConfig, type Config, type ConfigOverrides } from '../../src/config.js';
import type { TemporalForTests } from './global-setup.js';

/** The real server of this test run. Shared: use task queues and workflow ids of your own. */
export async function devServer(): Promise<TestWorkflowEnvironment> {
  const { address, namespace } = temporalForTests();
  return await TestWorkflowEnvironment.createFromExistingServer({ address, namespace });
}

/** The SDK gives it five seconds to start, which may not be enough on a machine that is busy with other tests. */
const startAttempts = 15;

/** A server of one's own that skips time. One for a test file, its tests one after another. */
export async function timeSkippingServer(): Promise<TestWorkflowEnvironment> {
  const path = temporalForTests().testServer;
  for (let attempt = 1; ; attempt++) {
    try {
      return await TestWorkflowEnvironment.createTimeSkipping({ server: { executable: { type: 'existing-path', path } } });
    } catch (error) {
      if (attempt === startAttempts || !String(error).includes('did not start within')) throw error;
    }
  }
}

/** Settings that lead to the real server of this test run. */
export function devServerConfig(overrides: ConfigOverrides = {}): Config {
  const { address, namespace } = temporalForTests();
  return loadConfig({ address, namespace, ...overrides });
}

export function temporalForTests(): TemporalForTests {
  const temporal = inject('temporal') as TemporalForTests | undefined;
  if (!temporal)
    throw new Error('There is no Temporal server for tests: vitest.config.ts must name test/support/global-setup.ts as globalSetup.');
  return temporal;
}
