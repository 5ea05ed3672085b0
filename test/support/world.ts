/** The published world, with workflows that were bundled once for all tests. */
import { openWorld as open, type World, type WorldOptions } from '../../src/testing/index.js';
import { builtWorkflows } from './built.js';

export * from '../../src/testing/index.js';

const workflowBundle = builtWorkflows();

export async function openWorld(options: WorldOptions): Promise<World> {
  return await open({ workflowBundle, ...options });
}
