import type { TestWorkflowEnvironment } from '@temporalio/testing';
import type { RunHandle } from '../../src/client.js';

/**
 * Rolls a run back on the server that skips time. Nobody asks how far it is meanwhile: a query in the very moment in which a run continues as
 * new makes that server lose the workflow task, and then time stands still.
 */
export async function putBack(environment: TestWorkflowEnvironment, run: RunHandle, snapshotId: string): Promise<void> {
  await environment.client.workflow.getHandle(run.id).executeUpdate('rollback', { args: [{ snapshotId }] });
  await environment.sleep('5 seconds');
}
