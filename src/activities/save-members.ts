import { setTimeout as sleep } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { WorkflowHandle } from '@temporalio/client';
import { fail, failureOf } from '../contract/failure.js';
import { commands, queries } from '../contract/names.js';
import type { RunResult, RunStatus } from '../contract/run.js';
import { commandsOf } from '../contract/snapshot.js';
import type { SavedMember, SaveMembersInput, SaveMembersOutput } from '../contract/state-step.js';
import type { Store } from '../store/store.js';
import { outcomeLeft } from './outcome-left.js';
import { publishEvents } from './publish.js';

const firstPauseMs = 50;
const longestPauseMs = 2000;

/** Has each of these runs save itself, and waits until they have. Of one that has ended meanwhile: how. Safe to repeat. */
export function createSaveMembers({ store }: { store: Store }) {
  return async function saveMembers({ operations, ...base }: SaveMembersInput): Promise<SaveMembersOutput> {
    await publishEvents(store.events, base);
    return Object.fromEntries(await Promise.all(operations.map(async ({ id, runId }) => [id, await saveMember(store, runId)])));
  };
}

async function saveMember(store: Store, workflowId: string): Promise<SavedMember> {
  const handle = Context.current().client.workflow.getHandle(workflowId);
  try {
    // The same on every attempt: it is saved once.
    const { activityId, workflowExecution } = Context.current().info;
    const updateId = `${workflowExecution?.runId ?? ''}/${activityId}`;
    const { operationId } = await handle.executeUpdate<{ operationId: string }, [object]>(commands.save, { args: [{}], updateId });
    return await saved(handle, operationId);
  } catch (error) {
    if (!isOver(error)) throw error;
    return await outcomeOf(store, handle);
  }
}

async function saved(handle: WorkflowHandle, operationId: string): Promise<SavedMember> {
  const { cancellationSignal } = Context.current();
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 2, longestPauseMs)) {
    Context.current().heartbeat();
    const status = await handle.query<RunStatus>(queries.status);
    const command = commandsOf(status).find(({ id }) => id === operationId);
    if (command?.status === 'done' && command.snapshotId) return { snapshotId: command.snapshotId, pattern: status.pattern };
    if (command?.status === 'failed') {
      throw fail('Nested.Failed', `"${handle.workflowId}" could not be saved: ${command.failure?.message ?? 'it did not say why'}`, {
        final: true,
      });
    }
    await sleep(pauseMs, undefined, { signal: cancellationSignal });
  }
}

function isOver(error: unknown): boolean {
  const { name } = error as Error;
  return name === 'WorkflowNotFoundError' || failureOf(error).type === 'Run.Closed';
}

async function outcomeOf(store: Store, handle: WorkflowHandle): Promise<SavedMember> {
  try {
    return { result: (await handle.result()) as RunResult };
  } catch (error) {
    const { name, cause } = error as Error;
    if (name === 'WorkflowFailedError') return { failure: failureOf(cause ?? error) };
    const left = name === 'WorkflowNotFoundError' ? await outcomeLeft(store, handle.workflowId) : undefined;
    if (left) return left;
    throw fail('Store.Unavailable', `The run "${handle.workflowId}" cannot be looked up: ${(error as Error).message}`, { cause: error });
  }
}
